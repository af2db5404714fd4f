"""The report as one self-contained HTML file: no script, no font, no picture from anywhere else.

Everything that people or the cluster wrote is escaped by the template engine; a policy in the file itself
forbids whatever could slip through to load or run.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from kubedrill.core.measure.results import DrillRecord, ObjectiveVerdict
from kubedrill.plugins.reports import drawing, method, putback, sections, timespent, wording

FORMAT: Final = "html"
SUFFIX: Final = ".html"

SIGNS: Final = {
    ObjectiveVerdict.MET: "✓",
    ObjectiveVerdict.MISSED: "✕",
    ObjectiveVerdict.INDETERMINATE: "?",
    ObjectiveVerdict.NOT_STARTED: "–",
    ObjectiveVerdict.PENDING: "…",
}
WORDS: Final = {
    ObjectiveVerdict.MET: "met",
    ObjectiveVerdict.MISSED: "missed",
    ObjectiveVerdict.INDETERMINATE: "can't tell",
    ObjectiveVerdict.NOT_STARTED: "not started",
    ObjectiveVerdict.PENDING: "open",
}


def render(record: DrillRecord) -> str:
    """The whole report as a page that can be mailed, printed and read on a phone."""
    template, style = _template()
    return template.render(
        style=style,
        signs=SIGNS,
        words=WORDS,
        record=record,
        headline=wording.headline(record),
        kept_together=kept_together,
        objectives=sections.objectives(record),
        peoples=wording.peoples(record),
        back=putback.put_back(record),
        fixes=sections.to_fix(record),
        nothing_to_fix=sections.nothing_to_fix(record),
        bar=(bar := timespent.stretches(record)),
        charges=timespent.charges(bar),
        drawing=drawing.draw(record),
        sure=sections.certainty(record),
        findings=sections.findings(record),
        timeline=sections.timeline(record),
        milestones=sections.milestones(record),
        basis=sections.basis,
        method=method.how_measured(record),
        formula=method.SCORE_FORMULA,
        ran_for=method.ran_for(record),
        assisted=wording.assisted(record),
        clock_of=wording.clock_of,
        milestone_words=wording.milestone_words,
        sentence_case=wording.sentence_case,
        verdict=wording.verdict_word(record.verdict),
    )


def kept_together(text: str) -> Markup:
    """The text with its ranges (`23–28 min`) never broken over two lines."""
    escaped = str(escape(wording.printable(text)))
    ranges = re.sub(r"[−\d.]+–[\d.]+ \w+", r'<span class="nowrap">\g<0></span>', escaped)
    return Markup(ranges)  # noqa: S704 - escaped two lines above


def _shown(value: object) -> object:
    """Every value that the template prints comes through here, so none can bring characters that deceive."""
    return wording.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=1)
def _template() -> tuple[Template, Markup]:
    environment = Environment(
        loader=PackageLoader("kubedrill.plugins.reports", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    # The style sheet is ours and has no variables: it must not be escaped, or its quotes would break.
    style = environment.get_template("report.css").render()
    return environment.get_template("report.html"), Markup(style)  # noqa: S704 - a file of this package
