"""Whatever people or the cluster wrote is text in a report and nothing else."""

from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from tests.reports.records import MISSED, fact, milestone, morning_rush, objective

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.measure.results import FieldOutcome, Finding, MilestoneName, Player, Restoration, Severity
from kubedrill.plugins.reports import FORMATS, render

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><svg onload=alert(1)>",
    "]]><!-- -->&lt;b&gt;",
    "[click](https://evil.example) ![x](https://evil.example/x.png) https://evil.example www.evil.example",
    "| cell | `code` **bold** <https://evil.example> \n\n# heading\n- item",
    "{{ 7*7 }} {% raw %}",
    "nul\x00 bell\x07 esc\x1b[31m c1\x9b31m",
    "left\u202etfel\u2066 zero\ufeff half\ud800",
)


def poisoned(text):
    rush = morning_rush()
    return replace(
        rush,
        title=text,
        narrative=text,
        facilitator=text,
        name=text,
        namespace=text,
        verdict_message=text,
        score=text,
        team=(Player(text, text, text),),
        measurement=(text,),
        corrections=(text,),
        verdict_reason=text,
        objectives=(
            *rush.objectives,
            objective(text, 5, MISSED, 6, 7, reason=text, actor=text, beside={text: text}),
        ),
        findings=(Finding("rule", Severity.CRITICAL, text, text, ("poison",)),),
        facts=(
            *rush.facts,
            fact(FactKind.NOTED, 4, id="poison", actor=text, evidence=text, detail={"fault": text}),
            fact(FactKind.FAULT_INJECTED, -3, id="fault", evidence=text, detail={"fault": text}),
            fact(FactKind.ALERT_FIRING, 1, id="alert", evidence=text, detail={"alert": text}),
        ),
        milestones=(
            *rush.milestones,
            milestone(MilestoneName.ESCALATION_ENGAGED, 9, level=text, actor=text, evidence=text),
        ),
        restoration=Restoration(
            complete=False,
            fields=(FieldOutcome(text, text, text, text, text, "Superseded", text),),
            notes=(text,),
        ),
    )


class Tags(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.attributes = set()

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(page):
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_html_report_has_no_tag_and_no_attribute_that_a_harmless_one_lacks(attack):
    harmless, poisonous = tags(render(poisoned("x"), "html")), tags(render(poisoned(attack), "html"))
    assert (poisonous.found, poisonous.attributes) == (harmless.found, harmless.attributes)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_markdown_report_has_the_same_structure_as_a_harmless_one(attack):
    def structure(text):
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render(poisoned(text), "markdown"))
        inline = [child.type for token in tokens for child in token.children or ()]
        return [t.type for t in tokens], [kind for kind in inline if kind not in ("text", "text_special")]

    assert structure(attack) == structure("x")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_markdown_report_has_no_address_that_a_renderer_turns_into_a_link(attack):
    text = render(poisoned(attack), "markdown")
    assert "://" not in text
    assert "www." not in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_junit_stays_xml_with_the_same_elements(attack):
    def elements(text):
        return [e.tag for e in ET.fromstring(render(poisoned(text), "junit")).iter()]  # noqa: S314 - our own text

    assert elements(attack) == elements("x")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_can_be_written_to_a_file(name, attack):
    assert render(poisoned(attack), name).encode("utf-8")


@pytest.mark.parametrize("name", ["html", "junit", "markdown"])
def test_no_control_character_and_no_mark_that_turns_the_writing_round_reaches_a_reader(name):
    text = render(poisoned("".join(ATTACKS)), name)
    assert not {c for c in text if (ord(c) < 32 and c != "\n") or "\x7f" <= c <= "\x9f" or c in "\u202e\u2066\ufeff"}
