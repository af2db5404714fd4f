import pytest
from cluster.commands import ClusterError
from cluster.provider import Facts, Provider, choose, distribution_ids, may_administer

DEBIAN = Facts(debian_family=True, known_architecture=True)


def test_a_context_the_user_names_comes_before_everything_else() -> None:
    facts = Facts(context="minikube", engine="docker", node_image=True, root=True, debian_family=True)
    assert choose(facts) is Provider.EXISTING


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_that_has_the_node_image_is_preferred_to_building_one(engine: str) -> None:
    facts = Facts(engine=engine, node_image=True, root=True, debian_family=True, known_architecture=True)
    assert choose(facts) is Provider.ENGINE


def test_an_engine_without_the_node_image_is_left_alone_where_root_can_build() -> None:
    facts = Facts(engine="docker", root=True, debian_family=True, known_architecture=True)
    assert choose(facts) is Provider.SELF_BUILT


def test_root_on_debian_needs_no_engine() -> None:
    facts = Facts(root=True, debian_family=True, known_architecture=True)
    assert choose(facts) is Provider.SELF_BUILT


def test_a_user_on_debian_is_told_the_command_that_brings_root() -> None:
    with pytest.raises(ClusterError, match="sudo -E make cluster"):
        choose(DEBIAN)


def test_a_machine_whose_engine_cannot_pull_is_told_which_image_it_needs() -> None:
    with pytest.raises(ClusterError, match="podman pull kindest/node:"):
        choose(Facts(engine="podman", root=True))


def test_a_machine_with_nothing_is_told_to_start_docker() -> None:
    with pytest.raises(ClusterError, match="Start Docker"):
        choose(Facts(root=True))


def test_an_architecture_without_a_node_image_cannot_be_self_built() -> None:
    with pytest.raises(ClusterError, match="amd64 or arm64"):
        choose(Facts(root=True, debian_family=True))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n', ["debian"]),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', ["linuxmint", "ubuntu", "debian"]),
        ("", []),
    ],
)
def test_a_distribution_is_known_by_its_id_and_those_it_is_like(tmp_path, text, ids) -> None:
    file = tmp_path / "os-release"
    file.write_text(text)
    assert distribution_ids(file) == ids


@pytest.mark.parametrize(
    ("effective", "may"),
    [("000001fffeffffff", True), ("00000000a80425fb", False), ("0000000000201000", True), ("0", False)],
)
def test_root_in_an_unprivileged_container_is_not_taken_for_an_administrator(effective, may) -> None:
    assert may_administer(f"Name:\tpython3\nCapEff:\t{effective}\n") is may
