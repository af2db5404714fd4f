"""A name that leads elsewhere is refused by whatever builds a path, and nothing builds one in another way."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests.names.builders import BUILDERS, FIXED, HOSTS, STORED, declared, kinds_of_objects
from tests.names.hostile import STRANGE, WAYS
from tests.source import files, parsed

from kubedrill.core.paths import BadName, demand_built
from kubedrill.kube.paths import ClusterWide, Namespaced

ALL = {**BUILDERS, **HOSTS, **STORED}
OWN = ("core/paths.py", "kube/paths.py")
AT_THE_SERVER = re.compile(r"/apis?(/|$)|/namespaces(/|$)")
OF_A_SERVICE = re.compile(r"…?/api/v[12]/(query|rules|alerts|status|silences|silence/…)")
"""What Prometheus and Alertmanager are asked for; they have an `/api` of their own."""


def places(names: int, hostile: str) -> Iterator[list[str]]:
    """The hostile name in each place, good names in the others."""
    for place in range(names):
        yield [hostile if n == place else "shop" for n in range(names)]


@pytest.mark.parametrize("builder", ALL)
def test_whatever_builds_a_path_refuses_a_name_that_leads_elsewhere(builder: str):
    build, names = ALL[builder]
    built = [given for name in WAYS for given in places(names, name) if builds(build, *given)]

    core = ["", *["shop"] * 4]  # of no other builder is the empty name one: it is that of the core group
    assert built == ([core] if builder == "core/undo/operations.py:path" else [])


def builds(build: Callable[..., object], *names: str) -> bool:
    """Whether a path comes of these names."""
    try:
        build(*names)
    except BadName:
        return False
    return True


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_strange_name_stays_one_segment_wherever_it_stands(builder: str):
    build, names = BUILDERS[builder]
    whole = _parts(build(*["shop"] * names))
    for name in STRANGE:
        for given in places(names, name):
            if "through_service" in builder and ":" in given[1]:
                continue  # the port is behind the colon: refused, as below
            assert _parts(build(*given)) == whole


def _parts(built: str | tuple[str, ...]) -> list[int]:
    every = (built,) if isinstance(built, str) else built
    for path in every:
        demand_built(path)
    return [path.count("/") for path in every]


def test_a_colon_in_the_name_of_a_service_is_no_other_port_and_no_other_scheme():
    build, _ = BUILDERS["kube/paths.py:through_service"]
    for name in ("https:prometheus", "prometheus:80"):
        with pytest.raises(BadName):
            build("shop", name)


def test_every_kind_of_object_that_is_asked_for_refuses_it():
    assert [(k, n) for k, kind in kinds_of_objects() for n in WAYS for p in paths_of(kind, n) if builds(p)] == []


def paths_of(kind: Namespaced | ClusterWide, name: str) -> tuple[Callable[[], object], ...]:
    """Every path of a kind that a name can stand in."""
    if isinstance(kind, ClusterWide):
        return (partial(kind.one, name),)
    return (
        partial(kind.of, name),
        partial(kind.one, name, "web"),
        partial(kind.one, "shop", name),
        partial(kind.part, "shop", "web", name),
    )


def test_the_list_of_builders_is_whole():
    assert declared() == BUILDERS.keys() | FIXED


def wrong_in(source: str) -> list[str]:
    """Where a piece of source puts a path of the API server together by itself."""
    return _wrong_in(ast.parse(source))


def _wrong_in(tree: ast.Module) -> list[str]:
    found = []
    documented = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    inner = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            literal = "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
            if AT_THE_SERVER.search(literal) and not OF_A_SERVICE.fullmatch(literal):
                found.append(ast.unparse(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented | inner:
            if AT_THE_SERVER.search(node.value) and not OF_A_SERVICE.fullmatch(node.value):
                found.append(ast.unparse(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"ApiPath", "cast"}:
            text = ast.unparse(node)
            if re.match("ApiPath|cast.*ApiPath", text):
                found.append(text)
    return found


def test_no_module_puts_a_path_together_by_itself():
    read = {module: _wrong_in(parsed(module)) for module in files() if module not in OWN}

    assert read
    assert {name: wrong for name, wrong in read.items() if wrong} == {}


@pytest.mark.parametrize(
    "planted",
    [
        'path = f"/api/v1/namespaces/{namespace}/pods"',
        'path = f"/apis/{group}/{version}/drills"',
        'path = f"{root}/namespaces/{namespace}/pods/{name}"',
        'path = "/api/v1/namespaces/" + namespace',
        'path = "/apis/apps/v1/namespaces/%s/deployments" % namespace',
        'RBAC = "/apis/rbac.authorization.k8s.io/v1"',
        'path = f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy/api/v1/query"',
        "path = ApiPath(text)",
        'path = cast("ApiPath", text)',
    ],
)
def test_a_path_that_is_planted_is_found(planted: str):
    assert wrong_in(planted)
