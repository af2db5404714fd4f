import pytest
from cluster.contexts import image_loader, is_throwaway, may_use


def nobody(question: str) -> str:
    pytest.fail(f"asked: {question}")


@pytest.mark.parametrize("context", ["kind-kubedrill", "k3d-dev", "minikube", "docker-desktop", "colima", "orbstack"])
def test_names_that_only_local_clusters_bear_are_allowed_without_a_question(context: str) -> None:
    assert may_use(context, interactive=False, ask=nobody)


@pytest.mark.parametrize(
    "context", ["production", "kind", "not-kind-1", "minikube-prod", "arn:aws:eks:eu:1:cluster/kind-a", ""]
)
def test_names_that_merely_look_alike_are_not_on_the_list(context: str) -> None:
    assert not is_throwaway(context)


def test_without_a_terminal_an_unknown_context_is_refused_without_a_question() -> None:
    assert not may_use("staging-eu", interactive=False, ask=nobody)


def test_on_a_terminal_the_name_typed_in_full_is_consent() -> None:
    assert may_use("staging-eu", interactive=True, ask=lambda _: "staging-eu\n")


@pytest.mark.parametrize("answer", ["", "y", "yes", "staging"])
def test_on_a_terminal_anything_but_the_name_is_a_no(answer: str) -> None:
    assert not may_use("staging-eu", interactive=True, ask=lambda _: answer)


def test_images_go_into_the_named_kind_cluster() -> None:
    command = image_loader("kind-lab", "app.tar")
    assert command == ("kind", "load", "image-archive", "app.tar", "--name", "lab")


def test_a_cluster_that_shares_its_engine_s_images_needs_no_loading() -> None:
    assert image_loader("docker-desktop", "app.tar") == ()


def test_a_cluster_of_another_kind_has_no_known_way_for_images() -> None:
    assert image_loader("staging-eu", "app.tar") is None
