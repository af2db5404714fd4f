"""Names that somebody might give who wants a request to go elsewhere."""

from __future__ import annotations

from typing import Final

WAYS: Final = (
    "",
    ".",
    "..",
    "/",
    "//",
    "a/b",
    "./web",
    "web/",
    "/web",
    "../../other/deployments/web",
    "../../../../../../api/v1/namespaces/drills/secrets/kubedrill-webhook",
    "a%2Fb",
    "..%2f..%2fother",
    "%2e%2e",
    "%",
    "web%00",
    "a\n",
    "web\r\nX-Remote-User: admin",
    "a\x00b",
    "a\tb",
    "a\x7f",
    "a\x9bb",
    "half-\ud800-of-a-character",
)
"""No segment of a path: each is refused wherever a path is built."""
STRANGE: Final = (
    "web ",
    " web",
    "Web",
    "we_b",
    "-web",
    "web-",
    ".web",
    "web.",
    "...",
    "a..b",
    "wеb",
    "ｗｅｂ",
    "．．",
    "a／b",
    "a∕b",
    "web?x=1",
    "web#top",
    "web;x",
    "a\\b",
    "..\\..\\other",
    "a:b",
    "@web",
    "{name}",
    "w" * 254,
)
"""No name of an object either, but one segment: it is sent quoted, and there is no such thing."""
