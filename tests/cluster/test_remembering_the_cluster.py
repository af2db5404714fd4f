import pytest
from cluster.provider import Provider
from cluster.settings import Folders
from cluster.state import State, forget, read, write


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(tmp_path / "cache")


def cluster(provider: Provider, context: str = "kind-kubedrill") -> State:
    return State(provider, context, engine="docker", identity="1")


def test_what_was_brought_up_is_known_to_the_next_command(folders) -> None:
    write(folders, cluster(Provider.SELF_BUILT))
    assert read(folders) == cluster(Provider.SELF_BUILT)


def test_nothing_is_known_before_and_after(folders) -> None:
    assert read(folders) is None
    write(folders, cluster(Provider.ENGINE))
    forget(folders)
    assert read(folders) is None


@pytest.mark.parametrize(
    ("known", "asked", "serves"),
    [
        (cluster(Provider.SELF_BUILT), None, True),
        (cluster(Provider.ENGINE), None, True),
        (cluster(Provider.SELF_BUILT), "kind-kubedrill", False),
        (cluster(Provider.EXISTING, "minikube"), "minikube", True),
        (cluster(Provider.EXISTING, "minikube"), "k3d-a", False),
        (cluster(Provider.EXISTING, "minikube"), None, False),
    ],
)
def test_a_cluster_serves_who_asks_for_it_and_nobody_else(known, asked, serves) -> None:
    assert known.serves(asked) is serves
