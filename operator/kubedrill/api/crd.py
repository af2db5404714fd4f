"""The CustomResourceDefinitions, generated from the models (`kubedrill.plugins.crds` writes them).

One recursive walk over pydantic's JSON schema with an allow-list of keywords. What the API server would
refuse or silently drop is an error here and names the place: a keyword that is not known, a union, a string
or list without a maximum (CEL rules are refused for their cost without one), a field without a description.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel

from kubedrill.api.base import GROUP, NAME_PATTERN, VERSION
from kubedrill.api.drill import FROZEN_AT_THE_START, Drill
from kubedrill.api.drill_names import DOTTED, LONGEST, TOO_LONG
from kubedrill.api.environment import DrillEnvironment
from kubedrill.api.people import DrillReport, PlayerAction
from kubedrill.api.roster import DrillRoster
from kubedrill.api.scenario import DrillScenario

Schema = dict[str, Any]

KEPT: Final = frozenset(
    {
        "type",
        "description",
        "required",
        "enum",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "x-kubernetes-validations",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
    }
)
DROPPED: Final = frozenset({"title", "discriminator", "examples"})
WALKED: Final = frozenset(
    {
        "$ref",
        "$defs",
        "anyOf",
        "const",
        "default",
        "properties",
        "items",
        "additionalProperties",
        "exclusiveMinimum",
        "exclusiveMaximum",
    }
)
MAXIMUM_OF: Final = {"string": "maxLength", "array": "maxItems"}


class NotStructuralError(ValueError):
    """The model says something that a CRD can't."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; one with a priority is shown by `-o wide` alone."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class CustomResource:
    """How a model appears at the API server."""

    model: type[BaseModel]
    plural: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    status: bool = False
    validations: tuple[Mapping[str, str], ...] = ()
    selectable: tuple[str, ...] = ()


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")
SHORT_NAME: Final = {"rule": f"self.metadata.name.size() <= {LONGEST}", "message": TOO_LONG}
# A subdomain is a name to the API server, a label is one wherever we write it. Not asked of a Drill that is there:
# a rule about the name can't be mended, and would refuse the status and the finalizer of a drill that is on.
PLAIN_NAME: Final = {
    "rule": f"has(self.status) || self.metadata.name.matches(r'{NAME_PATTERN}')",
    "message": DOTTED,
}
RESOURCES: Final = (
    CustomResource(
        Drill,
        "drills",
        (),
        (
            Column("Phase", ".status.phase", description="Where the drill is."),
            Column("Verdict", ".status.verdict", description="How it ended."),
            Column("T+", ".status.clock", description="Time since T+0."),
            Column("Next", ".status.next", description="What comes next, and the time left."),
            AGE,
            Column("Target", ".spec.targetNamespace", priority=1, description="The namespace it breaks."),
            Column("Message", ".status.message", priority=1, description="What happens now."),
        ),
        status=True,
        validations=(SHORT_NAME, PLAIN_NAME, *FROZEN_AT_THE_START),
        selectable=(".spec.targetNamespace",),
    ),
    CustomResource(
        DrillScenario,
        "drillscenarios",
        ("dscn",),
        (Column("Title", ".spec.title", description="The scenario in one line."), AGE),
    ),
    CustomResource(
        DrillEnvironment,
        "drillenvironments",
        ("denv",),
        (
            Column("Targets", ".spec.targetNamespaces", description="The namespaces that it is for."),
            Column("Prometheus", ".spec.prometheus.service.name", description="Prometheus' Service."),
            AGE,
            Column("URL", ".spec.prometheus.url", priority=1, description="Prometheus' URL, where it is outside."),
            Column("Label", ".spec.labels.namespace", priority=1, description="The label that names the namespace."),
        ),
    ),
    CustomResource(
        DrillRoster,
        "drillrosters",
        ("droster",),
        (AGE,),
    ),
    CustomResource(
        PlayerAction,
        "playeractions",
        ("pa",),
        (
            Column("Actor", ".spec.actor", description="Who says it."),
            Column("Action", ".spec.action", description="What is said."),
            Column("Severity", ".spec.severity", description="The severity that is said."),
            Column("Level", ".spec.level", description="The level that is called or has joined."),
            AGE,
            Column("Message", ".spec.message", priority=1, description="The player's own words."),
        ),
    ),
    CustomResource(
        DrillReport,
        "drillreports",
        ("drep",),
        (
            Column("Drill", ".spec.drill", description="The drill it is about."),
            Column("Verdict", ".spec.verdict", description="How the drill ended."),
            AGE,
            Column("Headline", ".spec.headline", priority=1, description="The drill in one sentence."),
        ),
    ),
)


def structural(schema: Mapping[str, Any], where: str = "", definitions: Mapping[str, Any] | None = None) -> Schema:
    """A JSON schema of pydantic as the structural schema of a CRD.

    Raises:
        NotStructuralError: it can't be said, or something that the API server needs is missing.
    """
    known = definitions if definitions is not None else schema.get("$defs", {})
    schema = _without_references(schema, where, known)
    if unknown := sorted(set(schema) - KEPT - DROPPED - WALKED):
        raise NotStructuralError(f"{where}: a CRD has no keyword {', '.join(unknown)}")
    result = {key: value for key, value in schema.items() if key in KEPT}
    if "const" in schema:
        result["enum"] = [schema["const"]]
    for bound in ("minimum", "maximum"):
        exclusive = "exclusive" + bound.capitalize()
        if exclusive in schema:
            result |= {bound: schema[exclusive], exclusive: True}
    if schema.get("default") not in (None, "", [], {}):
        result["default"] = schema["default"]
    if "properties" in schema:
        result["properties"] = {
            name: _property(part, f"{where}.{name}".lstrip("."), known) for name, part in schema["properties"].items()
        }
    if "items" in schema:
        result["items"] = structural(schema["items"], f"{where}[]", known)
    result |= _map_values(schema, where, known)
    _demand_maximum(result, where)
    return _finished(result)


def _property(schema: Mapping[str, Any], where: str, known: Mapping[str, Any]) -> Schema:
    result = structural(schema, where, known)
    if not result.get("description"):
        raise NotStructuralError(f"{where}: kubectl explain has nothing to say: give it a description")
    return result


def _without_references(schema: Mapping[str, Any], where: str, known: Mapping[str, Any]) -> Schema:
    """The schema with `$ref` and `anyOf [X, null]` replaced by what they mean; what stands beside wins."""
    own = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "$defs")}
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if where.count(".") > 20:
            raise NotStructuralError(f"{where}: {name} contains itself")
        return _without_references(known[name], where, known) | own
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        if len(choices) != 1:
            raise NotStructuralError(f"{where}: a union of {len(choices)} types")
        # pydantic puts the rules of an optional field inside the union, its description beside it
        return _without_references(choices[0], where, known) | own
    return own


def _map_values(schema: Mapping[str, Any], where: str, known: Mapping[str, Any]) -> Schema:
    values = schema.get("additionalProperties", False)
    if values is False or schema.get("x-kubernetes-preserve-unknown-fields"):
        return {}  # structural schemas prune what they don't know; strict decoding names the typo
    if values is True:
        raise NotStructuralError(f"{where}: a map of anything")
    if "maxProperties" not in schema:
        raise NotStructuralError(f"{where}: maxProperties is missing")
    return {"additionalProperties": structural(values, f"{where}{{}}", known)}


def _demand_maximum(schema: Schema, where: str) -> None:
    if "enum" in schema:
        return
    maximum = MAXIMUM_OF.get(schema.get("type", ""))
    if maximum is not None and maximum not in schema:
        raise NotStructuralError(f"{where}: {maximum} is missing")


def _finished(schema: Schema) -> Schema:
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type")
    if schema.get("type") == "integer":
        schema["format"] = "int64"
    return schema


def definition(resource: CustomResource) -> Schema:
    """The CustomResourceDefinition of a resource."""
    schema = resource.model.model_json_schema(by_alias=True, mode="validation")
    parts = {name: part for name, part in schema["properties"].items() if name in ("spec", "status")}
    body = structural(schema | {"properties": parts, "required": ["spec"]})
    body["properties"] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        **body["properties"],
    }
    if resource.validations:
        body["x-kubernetes-validations"] = [dict(rule) for rule in resource.validations]
    kind = resource.model.__name__
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in resource.columns],
        "schema": {"openAPIV3Schema": body},
    }
    if resource.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in resource.selectable]
    if resource.status:
        version["subresources"] = {"status": {}}
    names: Schema = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": resource.plural,
        "singular": kind.lower(),
        "categories": ["kubedrill"],
    }
    if resource.short_names:
        names["shortNames"] = list(resource.short_names)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def _column(column: Column) -> Schema:
    result: Schema = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        result["description"] = column.description
    return result | ({"priority": column.priority} if column.priority else {})


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: kubectl and people read it."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the parent asks for each value
        return True


def rendered(resource: CustomResource) -> str:
    """The definition as the YAML file in `crds/`."""
    text = yaml.dump(definition(resource), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
    return f"# Generated from kubedrill.api by `make generate`: change the models.\n{text}"


def write(folder: Path, resources: Iterable[CustomResource] = RESOURCES) -> None:
    """Write one file a resource."""
    folder.mkdir(parents=True, exist_ok=True)
    for resource in resources:
        (folder / f"{resource.plural}.yaml").write_text(rendered(resource), encoding="utf-8")
