"""`python3 -m cluster COMMAND`: a real, throwaway Kubernetes cluster to drill on.

Everything it makes lies in one folder (KUBEDRILL_CACHE, by default ~/.cache/kubedrill/cluster).
KUBEDRILL_CONTEXT names an existing cluster to use instead of making one.
"""

import argparse
import fcntl
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import binaries, images, lifecycle, state, toolchain
from cluster.commands import ClusterError, Runner
from cluster.provider import Facts, Provider, choose, observe
from cluster.settings import Folders, folders
from cluster.steps import Stamps, run_steps

TOOLS = {program.name: program for program in (binaries.HELM, binaries.KUBECTL)}
"""What tests of the installation need beside a cluster."""
PATIENCE = 60
"""Seconds for which a cluster that is there may take to answer, before it is made anew with all that is in it."""


def main() -> int:
    """Parse, run one command, and say what went wrong in a sentence."""
    arguments = parser().parse_args()
    try:
        return int(arguments.command(folders(), arguments))
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncluster: interrupted; the next run goes on with the unfinished step", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python3 -m cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("up", up, "bring the cluster up, or find it up"),
        ("down", down, "remove the cluster, its engine and its network; builds are kept"),
        ("status", status, "say what is there; ends with 1 if no healthy cluster is"),
        ("env", env, 'print what a shell must know: eval "$(python3 -m cluster env)"'),
        ("kubeconfig", kubeconfig, "print the kubeconfig's path"),
        ("audit-log", audit_log, "print the path of the API server's audit log, readable here"),
        ("go", go, "print the path of a Go toolchain that builds the modules of this project"),
    ):
        commands.add_parser(name, help=text, description=text).set_defaults(command=command)
    text = "print the path of a program that tests need, built from its pinned module where it is not there yet"
    one = commands.add_parser("tool", help=text, description=text)
    one.set_defaults(command=tool)
    one.add_argument("name", choices=sorted(TOOLS))
    text = "stop, start or restart a node, as a failing machine would"
    one = commands.add_parser("node", help=text, description=text)
    one.set_defaults(command=node)
    one.add_argument("what", choices=("stop", "start", "restart"))
    one.add_argument("name", help="a node's name, as kubectl get nodes says it")
    text = "build one Containerfile and load the image into the nodes; what has not changed is skipped"
    build = commands.add_parser("image", help=text, description=text)
    build.set_defaults(command=image)
    build.add_argument("name", help="NAME[:TAG]; without a registry it is localhost/NAME, the tag is dev")
    build.add_argument("context", type=Path)
    build.add_argument("-f", "--file", type=Path, help="the Containerfile (CONTEXT/Containerfile)")
    build.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    return top


def up(places: Folders, _: argparse.Namespace) -> int:
    """Bring the cluster up, or find it up."""
    with exclusive(places):
        if found_up(places, os.environ.get("KUBEDRILL_CONTEXT") or None):
            return 0
        facts = observe(Runner(places.log, {}), platform.machine())
        provider = choose(facts)
        machine = lifecycle.Machine(places, provider, engine_name(provider, facts))
        print(f"cluster: {provider}", file=sys.stderr)
        lifecycle.bring_up(machine, facts)
        print(f"the cluster is up: export KUBECONFIG={places.kubeconfig}")
    return 0


def found_up(places: Folders, context: str | None) -> bool:
    """Whether the wanted cluster is there already.

    Raises:
        ClusterError: another one is, which was made here and would be lost from sight.
    """
    known, machine = state.read(places), remembered(places)
    if known is None or machine is None:
        return False
    if known.serves(context):
        healthy = lifecycle.is_up(machine, PATIENCE)
        print(f"the cluster is up ({known.provider})" if healthy else "the cluster is not healthy: made anew")
        return healthy
    if known.provider is not Provider.EXISTING:
        raise ClusterError(f"a cluster of ours is in use, and {context} is another. Run: make cluster-down")
    return False


def down(places: Folders, _: argparse.Namespace) -> int:
    """Remove the cluster."""
    with exclusive(places):
        machine = remembered(places) or lifecycle.Machine(places, Provider.SELF_BUILT, "docker")
        lifecycle.take_down(machine)
    print("the cluster is down")
    return 0


def status(places: Folders, _: argparse.Namespace) -> int:
    """Say what is there."""
    machine = remembered(places)
    if machine is None:
        print("no cluster: make cluster")
        return 1
    healthy = lifecycle.is_up(machine)
    print(f"cluster     {'healthy' if healthy else 'NOT healthy: make cluster brings it back'}")
    print(f"provider    {machine.provider}")
    if machine.provider is Provider.SELF_BUILT:
        print(f"engine      {machine.own_engine.pid() or 'not running'}")
    print(f"kubeconfig  {places.kubeconfig}")
    for node in machine.kind.nodes() if places.kubeconfig.exists() else []:
        print(f"node        {node.name} {'Ready' if node.ready else 'NotReady'} {node.version}")
    return 0 if healthy else 1


def env(places: Folders, _: argparse.Namespace) -> int:
    """Print shell settings."""
    print(f"export KUBECONFIG={places.kubeconfig}")
    print(f'export PATH="{places.binaries}:$PATH"')
    return 0


def kubeconfig(places: Folders, _: argparse.Namespace) -> int:
    """Print the kubeconfig's path."""
    print(places.kubeconfig)
    return 0


def audit_log(places: Folders, _: argparse.Namespace) -> int:
    """Print the audit log's path."""
    print(present(places).kind.audit_log())
    return 0


def go(places: Folders, _: argparse.Namespace) -> int:
    """Print the Go command's path; installs one where the machine has none."""
    with exclusive(places):
        run_steps([toolchain.go_step(Runner(places.log, {}), places)], Stamps(places.stamps), sys.stderr)
    print(toolchain.go(places))
    return 0


def tool(places: Folders, arguments: argparse.Namespace) -> int:
    """Print a tool's path; builds it first where it must be."""
    program, runner = TOOLS[arguments.name], Runner(places.log, {})
    with exclusive(places, "tools.lock"):
        steps = [toolchain.go_step(runner, places), binaries.build_step(runner, places, program)]
        run_steps(steps, Stamps(places.stamps), sys.stderr)
    print(places.binaries / program.name)
    return 0


def node(places: Folders, arguments: argparse.Namespace) -> int:
    """Stop, start or restart the container that is a node."""
    machine = present(places)
    if machine.provider is Provider.EXISTING:
        raise ClusterError("the nodes of an existing cluster are not ours to stop")
    machine.runner.run(machine.engine_name, arguments.what, arguments.name)
    return 0


def image(places: Folders, arguments: argparse.Namespace) -> int:
    """Build an image and load it into the nodes."""
    wanted = images.request(arguments.name, arguments.context, arguments.file, arguments.build_arg)
    with exclusive(places):
        images.provide(present(places), wanted)
    return 0


def present(places: Folders) -> lifecycle.Machine:
    """The machine of the cluster that is up.

    Raises:
        ClusterError: none is.
    """
    machine = remembered(places)
    if machine is None:
        raise ClusterError("there is no cluster. Run: make cluster")
    return machine


def engine_name(provider: Provider, facts: Facts) -> str:
    """Which client builds and loads images."""
    return "docker" if provider is Provider.SELF_BUILT else facts.engine or "docker"


def remembered(places: Folders) -> lifecycle.Machine | None:
    """The machine of the cluster that was brought up last."""
    known = state.read(places)
    if known is None:
        return None
    return lifecycle.Machine(places, known.provider, known.engine, known.context, known.identity)


@contextmanager
def exclusive(places: Folders, name: str = "lock") -> Iterator[None]:
    """One command at a time changes the cluster, or makes a tool; others wait."""
    places.cache.mkdir(parents=True, exist_ok=True)
    with (places.cache / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("cluster: waiting for another command to end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


sys.exit(main())
