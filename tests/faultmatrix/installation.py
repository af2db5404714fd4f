"""The rights of an installation, as its manifests have them, for any control namespace."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import yaml

from kubedrill.core.paths import ApiPath

MANIFESTS: Final = Path(__file__).parents[2] / "manifests/base"
RIGHTS: Final = ("rbac.yaml", "break-glass.yaml")


def rights(control: str) -> list[dict[str, Any]]:
    """Accounts, roles and bindings; what is cluster-wide bears the control namespace in its name."""
    found = []
    installed = "\n---\n".join((MANIFESTS / name).read_text(encoding="utf-8") for name in RIGHTS)
    for thing in yaml.safe_load_all(installed):
        mine = copy.deepcopy(thing)
        for subject in mine.get("subjects", ()):
            if subject["kind"] == "ServiceAccount":
                subject["namespace"] = control
        if mine["kind"].startswith("Cluster"):
            if "Binding" in mine["kind"]:
                mine["metadata"]["name"] += f"-{control}"
        else:
            mine["metadata"]["namespace"] = control
        found.append(mine)
    return found


def path_of(thing: dict[str, Any]) -> ApiPath:
    """An object's path on the API server."""
    group, _, version = thing["apiVersion"].rpartition("/")
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    plural = thing["kind"].lower() + "s"
    meta = thing["metadata"]
    space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return ApiPath(f"{root}{space}/{plural}/{meta['name']}")
