"""Writes what the chart has from the manifests: its templates, and the PrometheusRule of the alert rules.

The manifests are the source, for they are plain Kubernetes: people read them, `kubectl apply -k` applies them, and
tests hold the code against them. A template is a manifest's text, comments and all, with a few places in it that the
values fill; each place must be found as often as is said here, so a manifest that changes its shape fails to be
generated rather than lose a value in silence.

    python charts/generate.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
MANIFESTS: Final = ROOT / "manifests"
CHART: Final = "charts/kubedrill"
RULE: Final = "manifests/components/prometheus-operator/prometheus-rule.yaml"
NAMESPACE: Final = "{{ .Release.Namespace }}"
CLUSTER_WIDE: Final = re.compile(r"Cluster\w+|ValidatingAdmissionPolicy\w*|PriorityClass|Namespace")
BASE: Final = ("rbac", "people", "environments", "priority", "deployment", "watchdog", "break-glass", "policies")
"""Files of the base that are templates. The namespace is none: like the CRDs it holds drills, and outlives them all."""
MONITORING: Final = {"service-monitors": "serviceMonitors", "alertmanager-config": "alertmanagerConfig"}
"""Files of the component, and the value that switches each on."""


@dataclass(frozen=True)
class Place:
    """What of a manifest's text gives way to what in the template, and how often it must be there."""

    pattern: str
    template: str
    times: int = 1

    def filled(self, text: str, file: str) -> str:
        """The text with the template in it.

        Raises:
            SystemExit: the manifest no longer has the place.
        """
        changed, found = re.subn(self.pattern, self.template, text, flags=re.MULTILINE)
        if found != self.times:
            raise SystemExit(f"{file}: found {found} times, not {self.times}: {self.pattern}")
        return changed


def of_pod(process: str) -> tuple[Place, ...]:
    """The places of a Deployment."""
    more = "".join(
        f"      {{{{- with .Values.{name} }}}}\n      {name}: {{{{- toYaml . | nindent 8 }}}}\n      {{{{- end }}}}\n"
        for name in ("imagePullSecrets", "nodeSelector")
    )
    toleration = r"(      - \{key: node.kubernetes.io/unreachable, .*\n)"
    tolerations = "      {{- with .Values.tolerations }}\n      {{- toYaml . | nindent 6 }}\n      {{- end }}\n"
    return (
        Place(r"image: localhost/kubedrill/operator:dev$", 'image: {{ include "kubedrill.image" . | quote }}'),
        Place("imagePullPolicy: IfNotPresent$", "imagePullPolicy: {{ .Values.image.pullPolicy }}"),
        Place(r"(      serviceAccountName: .*\n)", rf"\1{more}"),
        Place(toleration, rf"\1{tolerations}"),
        Place(
            r"resources:\n          requests: .*\n          limits: .*$",
            f"resources: {{{{- toYaml .Values.{process}.resources | nindent 10 }}}}",
        ),
    )


PLACES: Final = {
    "deployment": of_pod("operator"),
    "watchdog": of_pod("watchdog"),
    "service-monitors": (
        Place(
            "interval: 5s, scrapeTimeout: 4s",
            "interval: {{ $.Values.monitoring.scrapeInterval }},"
            " scrapeTimeout: {{ $.Values.monitoring.scrapeTimeout }}",
            2,
        ),
    ),
    "alertmanager-config": (Place(r"kubedrill\.drills\.svc", "kubedrill.{{ $.Release.Namespace }}.svc"),),
}
LABELS: Final = Place(
    r"  labels: \{app\.kubernetes\.io/part-of: kubedrill\}$",
    "  labels:\n    app.kubernetes.io/part-of: kubedrill\n    {{- toYaml $.Values.monitoring.labels | nindent 4 }}",
)


def template(name: str, text: str) -> str:
    """A manifest as a template: every object in the release's namespace, and its places filled by values."""
    if "{{" in text:
        raise SystemExit(f"{name}: what looks like a template must be in a file of the chart")
    for place in PLACES.get(name, ()):
        text = place.filled(text, name)
    text = re.sub(r"\bnamespace: drills\b", f"namespace: {NAMESPACE}", text)
    return "\n---\n".join(_placed(document) for document in text.split("\n---\n"))


def _placed(document: str) -> str:
    """One object with the namespace in its own metadata, where its kind has one."""
    kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE)
    head = document.partition("\nspec:")[0]
    if kind is None or CLUSTER_WIDE.fullmatch(kind[1]) or re.search(r"^  namespace: ", head, re.MULTILINE):
        return document
    placed, found = re.subn(
        r"^metadata: \{name: ([\w-]+)\}$",
        rf"metadata:\n  name: \1\n  namespace: {NAMESPACE}",
        document,
        flags=re.MULTILINE,
    )
    if not found:
        placed, found = re.subn(
            r"^metadata:\n  name: ([\w-]+)$",
            rf"metadata:\n  name: \1\n  namespace: {NAMESPACE}",
            document,
            flags=re.MULTILINE,
        )
    if found != 1:
        raise SystemExit(f"no metadata is understood in:\n{document[:300]}")
    return placed


def rule(rules: str) -> str:
    """The PrometheusRule that holds the rules of a file, with their comments."""
    groups = rules[rules.index("groups:") :]
    head = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "kubedrill", "namespace": "drills", "labels": {"app.kubernetes.io/part-of": "kubedrill"}},
    }
    indented = "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    written = yaml.safe_dump(head, sort_keys=False)
    return f"# Generated from manifests/rules/kubedrill.rules.yml by `make generate`.\n{written}spec:\n{indented}"


def files() -> Iterator[tuple[str, str]]:
    """Everything that is generated: its path in the repository, and its text."""
    for name in BASE:
        yield f"{CHART}/templates/{name}.yaml", _marked(f"base/{name}", template(name, _read(f"base/{name}.yaml")))
    for name, switch in MONITORING.items():
        path = f"components/prometheus-operator/{name}"
        text = template(name, _read(f"{path}.yaml"))
        objects = len(re.findall("^kind: ", text, re.MULTILINE))
        text = Place(LABELS.pattern, LABELS.template, objects).filled(text, name)
        condition = f"{{{{- if and .Values.monitoring.enabled .Values.monitoring.{switch} }}}}\n"
        yield f"{CHART}/templates/{name}.yaml", _marked(path, f"{condition}{text}{{{{- end }}}}\n")
    yield RULE, rule(_read("rules/kubedrill.rules.yml"))
    yield f"{CHART}/files/kubedrill.rules.yml", _read("rules/kubedrill.rules.yml")
    yield f"{CHART}/files/kubedrill-drill.json", _read("dashboards/kubedrill-drill.json")


def _marked(source: str, text: str) -> str:
    return f"{{{{- /* Generated from manifests/{source}.yaml by `make generate`: change it there. */ -}}}}\n{text}"


def _read(name: str) -> str:
    return (MANIFESTS / name).read_text(encoding="utf-8")


def main() -> None:
    """Writes all files, or with `--check` names those that are not what would be written."""
    stale = [path for path, text in files() if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        sys.exit(f"not what the manifests say: {', '.join(stale)}: make generate" if stale else 0)
    for path, text in files():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
