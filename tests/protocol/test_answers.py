"""What an answer means, and above all what it does not."""

from __future__ import annotations

import pytest

from kubedrill.core.undo.operations import Target
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.refusals import is_not_found
from kubedrill.protocol.objects import Inconclusive, Reply, patch_target, read_target

WEB = Target("apps", "v1", "Deployment", "deployments", "shop", "web")
SPACE = "/api/v1/namespaces/shop"


def status(code: int, reason: str = "", kind: str = "", name: str = "", **details: object) -> Answer:
    about = {key: value for key, value in {"kind": kind, "name": name, **details}.items() if value}
    return Answer(code, {"kind": "Status", "reason": reason, "details": about})


class Server(Kube):
    """An API server with one answer a path."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers

    async def call(self, method: str, path: str, *args: object, **kwargs: object) -> Answer:  # noqa: ARG002
        return self._answers[path]


NOT_FOUND = status(404, "NotFound", "deployments", "web")
FORBIDDEN = status(403, "Forbidden", "deployments", "web")
THERE = Answer(200, {"metadata": {"uid": "n1"}})
OTHER_SPACE = Answer(200, {"metadata": {"uid": "n2"}})
NO_SPACE = status(404, "NotFound", "namespaces", "shop")


@pytest.mark.parametrize(
    ("target", "space"),
    [(NOT_FOUND, THERE), (NOT_FOUND, NO_SPACE), (FORBIDDEN, NO_SPACE), (FORBIDDEN, OTHER_SPACE)],
    ids=["404", "404 and no namespace", "403 and no namespace", "403 and another namespace of that name"],
)
async def test_gone_is_a_live_404_of_the_object_or_of_its_namespace(target: Answer, space: Answer):
    place = await read_target(Server({WEB.path: target, SPACE: space}), WEB, "n1")

    assert place.seen is None


@pytest.mark.parametrize(
    ("target", "space"),
    [
        (FORBIDDEN, THERE),
        (FORBIDDEN, status(403, "Forbidden", "namespaces", "shop")),
        (status(500, "InternalError"), THERE),
        (status(503), status(503)),
        (status(429, "TooManyRequests"), THERE),
        (status(401, "Unauthorized"), status(401, "Unauthorized")),
        (Answer(404, {"message": "404 page not found"}), THERE),
        (status(404, "NotFound", "deployments", "api"), THERE),
    ],
)
async def test_anything_else_is_not_gone(target: Answer, space: Answer):
    with pytest.raises(Inconclusive):
        await read_target(Server({WEB.path: target, SPACE: space}), WEB, "n1")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Answer(200, {}), Reply.DONE),
        (status(409, "Conflict"), Reply.MOVED),
        (status(422, "Invalid"), Reply.MOVED),
        (status(422, "Invalid", causes=[{"field": "spec.a"}]), Reply.INVALID),
        (status(422, "Invalid", causes=[{"message": "not until Monday"}]), Reply.REFUSED),
        (status(400, "BadRequest"), Reply.REFUSED),
        (status(403, "Forbidden"), Reply.REFUSED),
        (Answer(403, {"message": 'User "x" cannot patch resource "deployments"'}), Reply.FORBIDDEN),
        (status(404, "NotFound"), Reply.GONE),
        (status(401, "Unauthorized"), Reply.BUSY),
        (status(429, "TooManyRequests"), Reply.BUSY),
        (status(500, "InternalError"), Reply.BUSY),
        (status(504, "Timeout"), Reply.BUSY),
        *(
            (Answer(code, {"message": 'admission webhook "guard.example" denied the request: no'}), Reply.REFUSED)
            for code in (400, 403, 404, 409, 422, 429, 500)
        ),
        (Answer(500, {"message": 'failed calling webhook "guard.example": connection refused'}), Reply.REFUSED),
    ],
)
async def test_the_answer_to_a_patch_with_preconditions(answer: Answer, meaning: Reply):
    reply, _ = await patch_target(Server({WEB.path: answer}), WEB, (), "manager")

    assert reply is meaning


def test_a_404_of_something_else_is_not_about_this_object():
    assert is_not_found(NOT_FOUND, "deployments", "web")
    assert not is_not_found(NOT_FOUND, "deployments", "api")
    assert not is_not_found(NOT_FOUND, "statefulsets", "web")
