"""Up and down: which steps lead to a cluster on this machine, and what removes it again."""

import os
import shutil
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cluster import binaries, contexts, packages, smoke, state
from cluster.commands import ClusterError, Runner
from cluster.debian import userland_step
from cluster.engine import OwnEngine
from cluster.kind import Kind
from cluster.node_image import PACKAGES, image_step
from cluster.provider import Facts, Provider
from cluster.settings import CONTEXT, ENGINE_ADDRESS, NODE_IMAGE, PULLED_NODE_IMAGE, SOURCES, Folders
from cluster.steps import Stamps, Step, run_steps
from cluster.toolchain import go_step


@dataclass(frozen=True)
class Machine:
    """This machine's folders, the engine that a provider uses on it, and the cluster if one is known.

    `context` and `identity` are the cluster's (see `state.State`), empty while there is none.
    """

    folders: Folders
    provider: Provider
    engine_name: str
    context: str = ""
    identity: str = ""

    @property
    def runner(self) -> Runner:
        """Runs programs so that they speak to the provider's engine and find what we built."""
        return Runner(self.folders.log, environment(self.folders, self.provider, self.engine_name))

    @property
    def kind(self) -> Kind:
        """The cluster over that engine."""
        return Kind(self.folders, self.runner, self.engine_name)

    @property
    def own_engine(self) -> OwnEngine:
        """The engine of our own."""
        return OwnEngine(self.folders, self.runner)


def environment(folders: Folders, provider: Provider, engine_name: str) -> Mapping[str, str]:
    """What programs must find in their environment."""
    if provider is Provider.SELF_BUILT:
        return {
            "DOCKER_HOST": f"unix://{folders.engine / 'docker.sock'}",
            "KIND_EXPERIMENTAL_PROVIDER": "docker",
            # the distribution's own client first: it fits the distribution's engine
            "PATH": f"{folders.binaries}:/usr/sbin:/usr/bin:/sbin:/bin",
        }
    path = f"{folders.binaries}:{os.environ['PATH']}:{packages.SBIN}"
    return {"KIND_EXPERIMENTAL_PROVIDER": engine_name, "PATH": path}


def is_up(machine: Machine, patience: int = 0) -> bool:
    """Whether the cluster that was brought up last is there and healthy, now or within `patience` seconds."""
    if machine.provider is Provider.SELF_BUILT and not machine.own_engine.is_up():
        return False
    return machine.kind.is_healthy(patience)


def bring_up(machine: Machine, facts: Facts) -> None:
    """Run the provider's steps and remember the cluster."""
    match machine.provider:
        case Provider.EXISTING:
            context = use_existing(machine, facts)
        case Provider.ENGINE:
            context = CONTEXT
            run(machine, [*tool_steps(machine), *cluster_steps(machine, PULLED_NODE_IMAGE, "127.0.0.1")])
        case Provider.SELF_BUILT:
            context = CONTEXT
            run(machine, self_built_steps(machine))
    state.write(machine.folders, state.State(machine.provider, context, machine.engine_name, uuid.uuid4().hex))


def run(machine: Machine, steps: list[Step]) -> None:
    """Run steps with this machine's stamps, progress to the standard error."""
    run_steps(steps, Stamps(machine.folders.stamps), sys.stderr)


def use_existing(machine: Machine, facts: Facts) -> str:
    """Take the user's own context, if drills may run there, as the kubeconfig of all commands.

    Raises:
        ClusterError: it is no throwaway cluster and nobody consented.
    """
    context = facts.context or ""
    if not contexts.may_use(context, interactive=sys.stdin.isatty(), ask=input):
        raise ClusterError(
            f"{context} is not the name of a local throwaway cluster (kind-…, k3d-…, minikube,"
            " docker-desktop): refused. On a terminal you would be asked."
        )
    own_view = machine.runner.run("kubectl", "config", "view", "--minify", "--flatten", "--context", context)
    machine.folders.cache.mkdir(parents=True, exist_ok=True)
    machine.folders.kubeconfig.touch(mode=0o600)
    machine.folders.kubeconfig.write_text(own_view)
    machine.kind.wait_ready()
    return context


def tool_steps(machine: Machine) -> list[Step]:
    """The pinned kind, which the node image and our configuration are made for; kubectl if there is none."""
    programs = [binaries.KIND, *([binaries.KUBECTL] if packages.find("kubectl") is None else [])]
    builds = [binaries.build_step(machine.runner, machine.folders, program) for program in programs]
    return [go_step(machine.runner, machine.folders), *builds]


def self_built_steps(machine: Machine) -> list[Step]:
    """Everything from packages to a working cluster, on a machine that has nothing."""
    runner, folders = machine.runner, machine.folders
    userland = folders.cache / "node-userland.tar"
    install = Step(
        "packages of this machine",
        lambda: packages.install(runner, packages.SELF_BUILT),
        inputs=(repr(sorted(packages.SELF_BUILT.items())),),
        present=lambda: not packages.absent(packages.SELF_BUILT),
    )
    go = go_step(runner, folders)
    tools = [binaries.build_step(runner, folders, program) for program in (binaries.RUNTIME, binaries.KIND)]
    programs = [binaries.build_step(runner, folders, program) for program in binaries.NODE_PROGRAMS]
    system = userland_step(runner, "the node", PACKAGES, userland)
    engine = Step("engine in its own network", lambda: ensure_engine(machine.own_engine))
    image = image_step(runner, folders, userland, [*programs, system])
    proof = Step(
        "a Service with two pods answers",
        lambda: smoke.check_service(machine.kind),
        inputs=(image, SOURCES / "smoke.py", SOURCES / "smoke.yaml"),
    )
    return [
        *(install, go, *tools, *programs, system, engine, image),
        *cluster_steps(machine, NODE_IMAGE, ENGINE_ADDRESS),
        proof,
    ]


def ensure_engine(engine: OwnEngine) -> None:
    """Start the engine unless it is up."""
    if not engine.is_up():
        engine.start()


def cluster_steps(machine: Machine, node_image: str, address: str) -> list[Step]:
    """A new cluster, all of its nodes Ready."""
    kind = machine.kind
    return [
        Step("cluster", lambda: kind.create(node_image=node_image, api_server_address=address)),
        Step("all nodes Ready", kind.wait_ready),
    ]


def take_down(machine: Machine) -> None:
    """Leave nothing behind but the cache of builds; an existing cluster is only forgotten."""
    if machine.provider is not Provider.EXISTING:
        remove_cluster(machine)
    state.forget(machine.folders)
    shutil.rmtree(machine.folders.audit, ignore_errors=True)


def remove_cluster(machine: Machine) -> None:
    """Delete the cluster; a killed engine is started once more, or its containers would outlive it."""
    if machine.provider is Provider.SELF_BUILT:
        if not (machine.folders.engine / "data").exists():
            return
        ensure_engine(machine.own_engine)
    machine.kind.delete()
    if machine.provider is Provider.SELF_BUILT:
        machine.own_engine.stop()
