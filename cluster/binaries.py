"""Programs built from pinned, checksummed Go modules: Kubernetes, etcd, CoreDNS, kind, Helm, three of our own."""

from dataclasses import dataclass
from pathlib import Path

from cluster.commands import Runner
from cluster.settings import KUBERNETES_VERSION, NODE_SOURCES, Folders
from cluster.steps import Step, exists
from cluster.toolchain import go

MODULES = NODE_SOURCES / "modules"


@dataclass(frozen=True)
class Program:
    """One program: its name, the module it is built in (a folder of ours), and the package."""

    name: str
    module: str
    package: str


KUBECTL = Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl")
HELM = Program("helm", "helm", "helm.sh/helm/v3/cmd/helm")
KIND = Program("kind", "kind", "sigs.k8s.io/kind")
RUNTIME = Program("runcwrap", "own", "./runcwrap")

NODE_PROGRAMS = (
    *(
        Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}")
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubelet",
            "kubeadm",
        )
    ),
    KUBECTL,
    Program("crictl", "kubernetes", "./crictl"),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Program("etcdctl", "etcdctl", "go.etcd.io/etcd/etcdctl/v3"),
    Program("coredns", "coredns", "github.com/coredns/coredns"),
    Program("nodenet", "own", "./nodenet"),
    Program("pause", "own", "./pause"),
)


def build_step(runner: Runner, folders: Folders, program: Program) -> Step:
    """Build one program, unless its module and flags are those of the last time."""
    target = folders.binaries / program.name
    flags = linker_flags(program)
    return Step(
        f"build {program.name}",
        lambda: build(runner, folders, program, target, flags),
        inputs=(MODULES / program.module, program.package, flags),
        present=exists(target),
    )


def linker_flags(program: Program) -> str:
    """Stripped, and with the versions that the release builds of Kubernetes and Helm stamp into theirs."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    version = "k8s.io/component-base/version"
    of_helm = {
        f"helm.sh/helm/v3/pkg/chartutil.k8sVersion{part}": of for part, of in (("Major", major), ("Minor", minor))
    }
    of_kubernetes = {
        f"{version}.gitVersion": KUBERNETES_VERSION,
        f"{version}.gitMajor": major,
        f"{version}.gitMinor": minor,
        f"{version}.gitTreeState": "clean",
        "k8s.io/client-go/pkg/version.gitVersion": KUBERNETES_VERSION,
    }
    stamps = {"kubernetes": of_kubernetes, "helm": of_helm}.get(program.module, {})
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in stamps.items())])


def build(runner: Runner, folders: Folders, program: Program, target: Path, flags: str) -> None:
    """Compile with the module's own go.mod and go.sum, which are never changed here."""
    target.parent.mkdir(parents=True, exist_ok=True)
    runner.run(
        go(folders),
        "build",
        "-trimpath",
        "-mod=readonly",
        f"-ldflags={flags}",
        "-o",
        target,
        program.package,
        folder=MODULES / program.module,
        extra={"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"},
    )
