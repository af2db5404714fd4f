"""Exactly the paths in our entry go back to those who had them; every other entry stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
from tests.undo.builders import MANAGER, deployment, entry, owning

from kubedrill.core.undo.ownership import fields_tree, given_back, last_changed_by, owned_paths

LIMIT = "spec/template/spec/containers/k:name=web/resources/limits/memory"
REQUEST = "spec/template/spec/containers/k:name=web/resources/requests/memory"
IMAGE = "spec/template/spec/containers/k:name=web/image"
CONTROLLER = entry("kube-controller-manager", owning("status/replicas"), subresource="status")


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_an_owner_gets_back_what_went_to_us(operation: str):
    before = [entry("owner", owning(LIMIT, IMAGE), operation), CONTROLLER]
    taken = [entry("owner", owning(IMAGE), operation), CONTROLLER, entry(MANAGER, owning(LIMIT))]

    assert given_back(taken, MANAGER, before) == before


def test_an_owner_whose_whole_entry_went_to_us_is_put_back_with_his_time():
    before = [entry("kubectl-set", owning(LIMIT), time="2026-02-01T08:00:00Z"), CONTROLLER]

    assert given_back([CONTROLLER, entry(MANAGER, owning(LIMIT))], MANAGER, before) == [CONTROLLER, before[0]]


def test_two_who_shared_a_field_share_it_again():
    before = [entry("argocd", owning(LIMIT, IMAGE), "Apply"), entry("flux", owning(LIMIT, IMAGE), "Apply")]
    taken = [
        entry("argocd", owning(IMAGE), "Apply"),
        entry("flux", owning(IMAGE), "Apply"),
        entry(MANAGER, owning(LIMIT)),
    ]

    assert given_back(taken, MANAGER, before) == before


def test_what_belonged_to_nobody_belongs_to_nobody():
    before = [entry("owner", owning(IMAGE))]

    assert given_back([*before, entry(MANAGER, owning(LIMIT))], MANAGER, before) == before


def test_a_player_who_took_the_field_over_keeps_it():
    before = [entry("owner", owning(LIMIT, REQUEST))]
    player = entry("kubectl-edit", owning(LIMIT), time="2026-03-01T12:20:00Z")
    now = [player, entry(MANAGER, owning(REQUEST))]

    # the owner's entry went to the player and to us: it is not called back to life with the player's field
    assert given_back(now, MANAGER, before) == [player]


def test_an_owner_who_has_spoken_again_since_keeps_his_new_time():
    before = [entry("owner", owning(LIMIT, IMAGE))]
    later = entry("owner", owning(IMAGE), time="2026-03-01T12:20:00Z")

    now = given_back([later, entry(MANAGER, owning(LIMIT))], MANAGER, before)
    assert now is not None
    (owner,) = now

    assert owner == entry("owner", owning(LIMIT, IMAGE), time="2026-03-01T12:20:00Z")


def test_there_is_nothing_to_write_without_an_entry_of_ours():
    assert given_back([CONTROLLER], MANAGER, [CONTROLLER]) is None


def test_an_empty_list_is_never_written():
    assert given_back([entry(MANAGER, owning(LIMIT))], MANAGER, []) is None


def test_other_entries_are_the_very_same():
    others = [entry("x", {"f:spec": {"f:b": {}, "f:a": {}}}), CONTROLLER]

    result = given_back([*others, entry(MANAGER, owning(LIMIT))], MANAGER, others)

    assert result is not None
    assert all(kept is other for kept, other in zip(result, others, strict=True))


def test_a_tree_of_paths_is_the_one_that_the_server_wrote():
    tree: dict[str, Any] = {
        "f:spec": {
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"web"}': {
                            ".": {},
                            "f:name": {},
                            "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}},
                        }
                    }
                }
            }
        }
    }

    assert fields_tree(owned_paths(tree)) == tree


def test_the_latest_owner_of_a_field_is_who_changed_it():
    entries = [
        entry("kubectl", owning(LIMIT)),
        entry("bob", owning(LIMIT), time="2026-03-01T12:20:00Z"),
        entry("hpa", owning("spec/replicas"), time="2026-03-01T12:30:00Z"),
    ]
    path = "/spec/template/spec/containers/0/resources/limits/memory"

    assert last_changed_by(entries, deployment(), path) == ("bob", "2026-03-01T12:20:00Z")
    assert last_changed_by(entries, deployment(), path, not_by="bob") == ("kubectl", "2026-03-01T11:00:00Z")
