"""The report as Markdown (CommonMark with tables), for a merge request, a wiki or a chat.

What people and the cluster wrote is text and nothing else: no markup, no link, no picture, no HTML of theirs
survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from kubedrill.core.measure.results import DrillRecord, ObjectiveVerdict, Severity
from kubedrill.plugins.reports import method, putback, sections, timespent
from kubedrill.plugins.reports.wording import assisted, clock_of, headline, milestone_words, printable, verdict_word

FORMAT: Final = "markdown"
SUFFIX: Final = ".md"

_MARKUP: Final = re.compile(r"([\\`*_\[\]<>#|~$])")
# A line that starts so would be a list.
_LIST: Final = re.compile(r"^(\d*)([-+.)])(?=\s|$)")
_SIGNS: Final = {
    ObjectiveVerdict.MET: "✅ met",
    ObjectiveVerdict.MISSED: "❌ missed",
    ObjectiveVerdict.INDETERMINATE: "❔ can't tell",
    ObjectiveVerdict.NOT_STARTED: "– not started",
    ObjectiveVerdict.PENDING: "… open",
}


def escape(text: str) -> str:
    """Foreign text as Markdown that shows exactly it, on one line.

    Besides the markup, what renderers turn into links by themselves (`https://`, `www.`, `@name`) is broken
    up by entities.
    """
    flat = " ".join(printable(text).split()).replace("&", "&amp;")
    marked = _MARKUP.sub(r"\\\1", flat)
    marked = _LIST.sub(r"\1\\\2", marked)
    linked = marked.replace("://", "&#58;//").replace("@", "&#64;")
    return re.sub(r"\b(www|mailto|xmpp)([.:])", lambda m: f"{m[1]}&#{ord(m[2])};", linked, flags=re.IGNORECASE)


def render(record: DrillRecord) -> str:
    """The whole report; the first screen says what matters."""
    parts = (
        _opening(record),
        _fixes(record),
        _time(record),
        _objectives(record),
        _certainty(record),
        _findings(record),
        _milestones(record),
        _timeline(record),
        _restoration(record),
        _people(record),
        _method(record),
    )
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part) + "\n"


def _opening(record: DrillRecord) -> Iterable[str]:
    date = record.started.strftime("%-d %B %Y, %H:%M %Z") if record.started else "not started"
    how = [
        "live" if record.live else "replayed from a transcript",
        *(["assisted"] if assisted(record) else []),
    ]
    back = putback.put_back(record)
    yield f"# {escape(record.title)}"
    yield ""
    named = f"Drill {escape(f'{record.namespace}/{record.name}')}"
    yield " · ".join((named, date, ", ".join(how), method.ran_for(record)))
    yield ""
    yield f"**{escape(headline(record))}**"
    yield ""
    yield f"- {escape(back.sentence)}"
    if back.left_over:
        yield f"- Left over by players: {escape(back.left_over)}."
    why = f" ({record.verdict_message})" if record.verdict_message else ""
    yield f"- Verdict: {escape(verdict_word(record.verdict) + why)}"
    if record.score:
        yield f"- Score: {escape(record.score)}"


def _fixes(record: DrillRecord) -> Iterable[str]:
    fixes = sections.to_fix(record)
    yield "## To fix first"
    yield ""
    yield from (f"{n}. **{escape(f.title)}.** {escape(f.text)} Owner: nobody yet." for n, f in enumerate(fixes, 1))
    if not fixes:
        yield escape(sections.nothing_to_fix(record))


def _time(record: DrillRecord) -> Iterable[str]:
    bar = timespent.stretches(record)
    if not bar:
        return
    yield "## Where the time went"
    yield ""
    yield ", ".join(f"{c.charged} {c.share:.0f} %" for c in timespent.charges(bar)) + "."
    yield ""
    yield from _table(("from", "to", "took", "charged to"), [(s.start, s.end, s.took, str(s.charged)) for s in bar])


def _objectives(record: DrillRecord) -> Iterable[str]:
    real = record.pace > 1
    head = ("objective", "limit", "took", *(["real time"] if real else []), "", "beside", "note")
    rows = [
        (o.name, o.limit, o.took, *([o.real] if real else []), _SIGNS[o.verdict], o.beside, o.note)
        for o in sections.objectives(record)
    ]
    yield "## Objectives"
    yield ""
    yield from _table(head, rows)


def _certainty(record: DrillRecord) -> Iterable[str]:
    sure = sections.certainty(record)
    yield "## Confidence"
    yield ""
    yield (
        f"{sure.machine} milestones by machine, {sure.declared} declared, {sure.observed} observed,"
        f" {sure.transcript} from a transcript; {sure.conflicts} where sources contradict each other."
        f" Widest bound: {sure.widest} ({escape(sure.widest_of)})."
    )


def _findings(record: DrillRecord) -> Iterable[str]:
    yield "## Findings"
    for f in sections.findings(record):
        sign = "strength" if f.severity is Severity.STRENGTH else f.severity.lower()
        yield ""
        yield f"### {escape(f.title)} ({sign})"
        yield ""
        yield escape(f.text)
        if f.evidence:
            yield ""
            yield from (
                f"- {e.clock}, {escape(e.who) or 'cluster'}: {escape(e.evidence or e.what)} *({e.source})*"
                for e in f.evidence
            )
    if not record.findings:
        yield ""
        yield "None."


def _milestones(record: DrillRecord) -> Iterable[str]:
    rows = [
        (
            clock_of(record, m.at),
            milestone_words(m.key),
            m.actor,
            f"{m.source}{', conflict' if m.conflict else ''}",
        )
        for m in sections.milestones(record)
    ]
    yield "## Milestones"
    yield ""
    yield from _table(("when", "milestone", "who", "source"), rows)


def _timeline(record: DrillRecord) -> Iterable[str]:
    rows, left = sections.timeline(record)
    yield "## Timeline"
    yield ""
    yield from _table(
        ("when", "clock", "who", "what", "evidence", "source"),
        [(r.clock, r.real, r.who, r.what, r.evidence, r.source) for r in rows],
    )
    if left:
        yield ""
        yield f"{left} more facts are in the JSON."


def _restoration(record: DrillRecord) -> Iterable[str]:
    back = putback.put_back(record)
    yield "## Restored, field by field"
    yield ""
    yield escape(back.sentence)
    if back.fields:
        yield ""
        yield from _table(
            ("target", "field", "before", "drill", "now", "outcome", "by"),
            [(f.target, f.path, f.before, f.after, f.now, f.outcome, f.put_back_by) for f in back.fields],
        )
    for note in back.notes:
        yield f"- {escape(note)}"


def _people(record: DrillRecord) -> Iterable[str]:
    yield "## Participants"
    yield ""
    yield from (f"- {escape(p.name)}, {escape(p.role)} ({escape(p.kind.lower())})" for p in record.team)
    if record.facilitator:
        yield f"- {escape(record.facilitator)}, facilitator"


def _method(record: DrillRecord) -> Iterable[str]:
    yield "## How it was measured"
    yield ""
    yield from (f"- {escape(line)}" for line in method.how_measured(record))
    yield f"- {escape(method.SCORE_FORMULA)}"
    yield ""
    yield "## Corrections"
    yield ""
    yield from ([f"- {escape(c)}" for c in record.corrections] or ["None."])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(escape(cell) or ' ' for cell in row)} |" for row in rows)
