"""Whatever is given as a name: either it is refused, or it is one segment of the path that is sent, and all of it."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import share_of
from tests.names.hostile import STRANGE, WAYS
from yarl import URL

from kubedrill.core.paths import BadName, demand_built, demand_host, joined, segment, service_host

# a busy machine is no reason to fail
unhurried = settings(deadline=None, max_examples=share_of(400))
anything = st.text(max_size=20) | st.text(st.sampled_from("./%:2eEfF\\?#;ab\n"), max_size=8)
names = st.lists(anything, min_size=1, max_size=6)


def sent(path: str) -> str:
    """The path that the URL library sends."""
    return URL(f"https://server:6443{path}").raw_path


@unhurried
@given(names)
@example(["api", "v1", "namespaces", "..", "pods"])
@example(["%2e%2e"])
@example(["a+b", "a b", "ä"])
def test_any_text_is_refused_or_comes_back_as_the_very_segments_that_were_given(given_names: list[str]):
    try:
        path = joined(*given_names)
    except BadName:
        assert any(refused(name) for name in given_names)
        return
    assert [unquote(part) for part in sent(path)[1:].split("/")] == given_names
    assert sent(path) == path
    demand_built(path)


def refused(name: str) -> bool:
    """By the API server's own rule, or because no name has such a character."""
    is_control = any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in name)
    return name in ("", ".", "..") or "/" in name or "%" in name or is_control


@pytest.mark.parametrize("name", WAYS, ids=ascii)
def test_what_leads_elsewhere_is_no_name(name: str):
    with pytest.raises(BadName):
        segment(name)


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_what_is_only_strange_is_quoted(name: str):
    assert unquote(segment(name)) == name
    assert sent(f"/x/{segment(name)}/y") == f"/x/{segment(name)}/y"


@pytest.mark.parametrize("name", ["web", "shop-web.v2", "kubedrill:break-glass", "prometheus:9090"])
def test_an_ordinary_name_stays_as_it_is(name: str):
    assert segment(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "a name is empty"),
        ("..", "'..' is a step in a path, no name"),
        ("../../other", "'../../other' can't be a name: it holds '/'"),
        ("a%2Fb", "'a%2Fb' can't be a name: it holds '%'"),
        ("a\n", "'a\\n' can't be a name: it holds '\\n'"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_name(name: str, why: str):
    with pytest.raises(BadName) as wrong:
        segment(name)
    assert str(wrong.value) == why


@unhurried
@given(anything.map(lambda text: f"/{text}") | anything)
@example("/api/v1/namespaces/../secrets")
@example("/api/v1/namespaces/%2e%2e/secrets")
@example("/api/v1//pods")
@example("/api/v1/pods?limit=1")
@example("/%41pi")
def test_a_path_passes_if_it_is_sent_as_it_stands_and_names_are_all_that_it_holds(path: str):
    try:
        demand_built(path)
    except BadName:
        return
    parts = [unquote(part) for part in path[1:].split("/")]
    assert sent(path) == path
    assert not any(refused(part) for part in parts)
    assert joined(*parts) == path


HOSTS = ("redis.shop.svc", "alertmanager", "127.0.0.1")
NO_HOSTS = (
    "",
    ".",
    "redis..svc",
    "redis.shop.svc/",
    "redis.shop.svc:80",
    "user@redis",
    "redis\n",
    "re dis",
    "[::1]",
    "redis#",
    "redis?x",
    "-redis",
    "Redis",
    "rеdis",
    "a%2fb",
    "a\\b",
    f"{'a' * 254}",
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_a_dns_name(host: str):
    demand_host(host)


@pytest.mark.parametrize("host", NO_HOSTS, ids=ascii)
def test_a_host_has_no_port_no_user_and_no_path(host: str):
    with pytest.raises(BadName):
        demand_host(host)


@pytest.mark.parametrize("name", [*WAYS, *STRANGE], ids=ascii)
def test_a_service_whose_name_is_none_has_no_host(name: str):
    with pytest.raises(BadName):
        service_host(name, "shop")
    with pytest.raises(BadName):
        service_host("redis", name)
