"""Which existing clusters may be used: throwaway ones by their context's name, others by consent."""

import re
from collections.abc import Callable

# Names that the makers of local clusters give their contexts. Whatever else a kubeconfig holds may be
# somebody's production.
THROWAWAY = (
    r"kind-[\w.-]+",
    r"k3d-[\w.-]+",
    r"minikube",
    r"docker-desktop",
    r"rancher-desktop",
    r"orbstack",
    r"colima(-[\w.-]+)?",
)


def is_throwaway(context: str) -> bool:
    """Whether the context's name is one that only local throwaway clusters bear."""
    return any(re.fullmatch(pattern, context) for pattern in THROWAWAY)


def may_use(context: str, *, interactive: bool, ask: Callable[[str], str]) -> bool:
    """Whether drills may run in this context: on the allow-list, or its name typed in full by a person.

    Without a terminal nobody can be asked, and the answer is no.
    """
    if is_throwaway(context):
        return True
    if not interactive:
        return False
    answer = ask(
        f"{context} is not the name of a local throwaway cluster. Drills break things there on purpose.\n"
        "Type the context's name to use it all the same: "
    )
    return answer.strip() == context


def image_loader(context: str, archive: str) -> tuple[str, ...] | None:
    """The command that brings an image archive into the nodes of such a cluster; None if none is known.

    An empty command: the cluster shares the images of the engine that built them.
    """
    maker, _, name = context.partition("-")
    match maker:
        case "kind":
            return ("kind", "load", "image-archive", archive, "--name", name)
        case "k3d":
            return ("k3d", "image", "import", archive, "--cluster", name)
        case "minikube":
            return ("minikube", "image", "load", archive)
        case "docker" | "orbstack":
            return ()
    return None
