"""Names in paths: a name is one segment of a path, and never a way to somewhere else.

`../../other/deployments/web` is a name to whoever writes it, and a way to whoever sends it: every URL library takes
`..` out of a path, and the API server decodes `%2F` before it looks. So a name that could be a way is refused, by the
rule that the API server has for names itself, and all others are quoted. A path that was put together in any other
way does not pass `demand_built`, nor the type checker.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NewType
from urllib.parse import quote, unquote

ApiPath = NewType("ApiPath", str)
"""A path at the API server, made of segments by `joined`."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._:]*")
_PLAIN_PATH: Final = re.compile(rf"(?:/{_PLAIN.pattern})+")
# The rule of the API server (IsValidPathSegmentName in k8s.io/apimachinery/pkg/api/validation/path), and what no
# name has at all: control characters, and halves of characters.
_FORBIDDEN: Final = re.compile(r"[/%\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What a URL library leaves as it stands within a segment, so that what is sent is what is written here.
_SAFE: Final = "!$'()*,@:&=;"
_HOST: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_HOST: Final = 253
_SHOWN: Final = 80


class BadName(ValueError):
    """What was given as a name is none: with it a request would go elsewhere. Nothing was sent."""


def segment(name: str) -> str:
    """A name as one segment of a path, quoted where it must be.

    Raises:
        BadName: it is empty, `.` or `..`, or holds `/`, `%` or a control character.
    """
    if _PLAIN.fullmatch(name):
        return name
    if not name:
        raise BadName("a name is empty")
    if name in (".", ".."):
        raise BadName(f"{name!r} is a step in a path, no name")
    if found := _FORBIDDEN.search(name):
        raise BadName(f"{name[:_SHOWN]!r} can't be a name: it holds {found[0]!r}")
    return quote(name, safe=_SAFE)


def joined(*names: str) -> ApiPath:
    """The path of which these are the segments.

    Raises:
        BadName: one of them is no segment.
    """
    return ApiPath("/" + "/".join(map(segment, names)))


def root(group_version: str) -> tuple[str, ...]:
    """The first segments of all paths of a version, `v1` or `apps/v1`."""
    group, _, version = group_version.rpartition("/")
    return ("apis", group, version) if group else ("api", version)


@lru_cache(maxsize=1024)
def object_path(group_version: str, namespace: str, plural: str, name: str) -> ApiPath:
    """The path of an object in a namespace.

    Raises:
        BadName: one of them is no segment.
    """
    return joined(*root(group_version), "namespaces", namespace, plural, name)


def demand_built(path: str) -> None:
    """Let a path pass that `joined` could have made.

    Raises:
        BadName: it could not: a segment is empty or a step, or holds what is never sent as it stands.
    """
    if _PLAIN_PATH.fullmatch(path):
        return
    first, *segments = path.split("/")
    if first or not segments:
        raise BadName(f"{path[:_SHOWN]!r} is no path at the API server")
    try:
        built = joined(*map(unquote, segments))
    except BadName as wrong:
        raise BadName(f"{path[:_SHOWN]!r} is not sent: {wrong}") from wrong
    if built != path:
        raise BadName(f"{path[:_SHOWN]!r} is not sent: it would read {built[:_SHOWN]!r}")


def service_host(name: str, namespace: str) -> str:
    """The host by which a Service is reached within the cluster.

    Raises:
        BadName: the names make none.
    """
    host = f"{name}.{namespace}.svc"
    demand_host(host)
    return host


def demand_host(host: str) -> None:
    """Let the name of a host pass, and nothing with a port, a user or a path in it.

    Raises:
        BadName: it is none.
    """
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise BadName(f"{host[:_SHOWN]!r} is no host: small letters, digits, '-' and '.' make one")
