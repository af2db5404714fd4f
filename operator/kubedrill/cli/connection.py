"""How every command reaches the API server, and how what goes wrong there is told to people."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from kubedrill.api.base import API_VERSION, GROUP, NAME_PATTERN, VERSION
from kubedrill.cli.exit_codes import ExitCode
from kubedrill.core.paths import ApiPath, BadName
from kubedrill.kube.answers import NoAnswer, decoded, quoted
from kubedrill.kube.client import Answer, Kube, Unreachable
from kubedrill.kube.paths import Namespaced, through_service
from kubedrill.kube.strangers import NO_SERVICE, is_no_service, refusal

T = TypeVar("T")
MOST_SAID = 4 << 20
"""Bytes of a Service's answer, as for the operator."""
CONTROL_NAMESPACE = "drills"
OPT_IN_LABEL = "kubedrill.dev/control-namespace"
SERVICE_ACCOUNT = "kubedrill"
BREAK_GLASS = "kubedrill:break-glass"
"""The group that may put back by hand, whatever else is gone (manifests/base/break-glass.yaml)."""
LONGEST_NAME = 63


class CliError(click.ClickException):
    """A command can't go on; the message says why and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click reads it from the instance too


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster and namespace a command is about, and as whom it speaks. None: as the kubeconfig says."""

    namespace: str | None = None
    context: str | None = None
    as_user: str | None = None
    as_group: str | None = None

    @property
    def control(self) -> str:
        """The namespace of a facilitator's command: the one that was named, else the control namespace."""
        return self.namespace or namespace_named(os.environ.get("KUBEDRILL_NAMESPACE", CONTROL_NAMESPACE))


def namespace_named(text: str) -> str:
    """A namespace that somebody typed; it becomes a part of paths, of label selectors and of what is applied.

    Raises:
        Trouble: no namespace has such a name.
    """
    if len(text) > LONGEST_NAME or not re.fullmatch(NAME_PATTERN, text):
        raise CliError(
            f"{text!r} is not the name of a namespace: use small letters, digits and '-'", ExitCode.BAD_INPUT
        )
    return text


def named_namespace(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """An option or argument that names a namespace, as click's callback."""
    return None if text is None else namespace_named(text)


def with_access(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command the options of kubectl: `-n`, `--context`, `--as`, `--as-group`."""

    @click.option("-n", "--namespace", callback=named_namespace, help="Namespace of the command.")
    @click.option("--context", help="Context of the kubeconfig.")
    @click.option("--as", "as_user", help="User to impersonate.")
    @click.option("--as-group", help="Group to impersonate, together with --as.")
    @wraps(command)
    def wrapped(
        namespace: str | None, context: str | None, as_user: str | None, as_group: str | None, **options: Any
    ) -> T:
        if as_group and not as_user:
            raise CliError("--as-group needs --as: say who you are", ExitCode.BAD_INPUT)
        return command(Access(namespace, context, as_user, as_group), **options)

    return wrapped


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Kube]:
    """A connection to the API server.

    Raises:
        Trouble: there is no usable kubeconfig.
    """
    try:
        kube = await Kube.connect(access.context, access.as_user, access.as_group)
    except Exception as error:
        raise CliError(f"no cluster to talk to: {error}. Is KUBECONFIG set?") from error
    try:
        yield kube
    finally:
        await kube.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end; no answer of the API server is told as such, a name that is none as well."""
    try:
        return asyncio.run(work)
    except Unreachable as error:
        raise CliError(f"the API server does not answer: {error}") from error
    except BadName as wrong:
        raise CliError(str(wrong), ExitCode.BAD_INPUT) from wrong


async def demand(asked: Awaitable[Answer], what: str) -> dict[str, Any]:
    """The body of a good answer.

    Raises:
        Trouble: the answer is a refusal; the message is the server's own, after `what`.
    """
    return good(await asked, what)


def good(answer: Answer, what: str) -> dict[str, Any]:
    """The body of an answer that is a good one; else as `demand`."""
    if answer.ok:
        return answer.body
    if answer.status == 404 and answer.reason != "NotFound":
        raise CliError(f"{what}: this cluster does not know {GROUP}/{VERSION}: is KubeDrill installed?")
    raise CliError(f"{what}: {answer.message or f'HTTP {answer.status}'}", _code_of(answer.status))


def _code_of(status: int) -> ExitCode:
    if status in (400, 404, 409, 422):
        return ExitCode.BAD_INPUT
    return ExitCode.REFUSED if status in (401, 403) else ExitCode.ERROR


def path_of(plural: str, namespace: str, name: str | None = None) -> ApiPath:
    """The path of our resources of one kind in a namespace, or of one of them."""
    kind = Namespaced(API_VERSION, plural)
    return kind.of(namespace) if name is None else kind.one(namespace, name)


async def said_by(
    kube: Kube, namespace: str, service: str, port: int, path: str, query: Sequence[tuple[str, str]] = ()
) -> Any:
    """The JSON that a Service answers with, through the API server, where people outside the cluster reach it too.

    Raises:
        Unanswered: it does not answer, or with an error that is not Prometheus' own.
    """
    where = f"{service}.{namespace}:{port}"
    try:
        proxied = through_service(namespace, service, port, path)
        status, raw = await kube.get_of_stranger(proxied, query, most=MOST_SAID)
        said = _told(status, raw)
    except Unreachable as error:
        raise NoAnswer(f"{where} does not answer: {error}") from error
    except NoAnswer as error:
        raise NoAnswer(f"{where} {error}") from error
    return said


def _told(status: int, raw: bytes) -> Any:
    """The JSON of a Service's answer. Raises NoAnswer, in the words of whoever says no: it, or the API server."""
    if 200 <= status < 300:
        return decoded(raw)
    said: Any = None
    with suppress(NoAnswer):
        said = decoded(raw)
    if is_no_service(status, said):
        raise NoAnswer(NO_SERVICE)
    words = said.get("message") if isinstance(said, dict) and said.get("kind") == "Status" else None
    if isinstance(words, str):
        raise NoAnswer(f"does not answer: {quoted(words)}")
    if no := refusal(status, raw, said):
        raise no
    return said
