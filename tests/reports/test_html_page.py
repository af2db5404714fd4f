"""The page: self-contained, and its first screen says what matters."""

import re
from dataclasses import replace

from tests.reports.records import fact, morning_rush, record

from kubedrill.core.evidence.facts import FactKind
from kubedrill.core.measure.results import Restoration, Verdict
from kubedrill.plugins.reports import render


def text_of(page):
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_nothing_is_loaded_from_anywhere_and_nothing_runs():
    page = render(morning_rush(), "html")
    assert not re.search(r"<(script|link|img|iframe|object|embed|base|form)\b|@import|url\(|https?://", page)
    assert "default-src 'none'" in page


def test_the_first_screen_says_in_order_what_was_met_put_back_to_fix_and_where_the_time_went():
    text = text_of(render(morning_rush(), "html"))
    said = (
        "6 of 7 met.",
        "Everything was restored at 10:06:00",
        "Left over by players: replicas of",
        "To fix first",
        "Scaled up before looking",
        "Where the time went",
        "Timeline, drawn",
        "Objectives",
        "Confidence",
        "Findings",
    )
    places = [text.index(words) for words in said]
    assert places == sorted(places)


def test_what_was_requested_stands_beside_what_was_engaged():
    assert re.search(
        r"Escalation engineering .{0,120}15 min .{0,60}requested T\+10:00",
        text_of(render(morning_rush(), "html")),
    )


def test_passed_and_failed_are_words_for_programs_only():
    text = text_of(render(morning_rush(), "html"))
    assert re.findall(r"Passed|Failed", text) == ["Failed"]
    assert "verdict: Failed" in text


def test_a_sped_up_drill_shows_scenario_time_with_the_real_time_beside_it():
    text = text_of(render(replace(morning_rush(), pace=12), "html"))
    assert "Real time" in text
    assert re.search(r"Mitigation .{0,60}240 min 276–336 min 23–28 min", text)


def test_a_hint_makes_the_drill_assisted():
    assert "assisted" in text_of(render(record(facts=(fact(FactKind.HINT_GIVEN, 3),)), "html"))
    assert "assisted" not in text_of(render(record(), "html"))


def test_what_is_not_put_back_is_said_loudly():
    text = text_of(render(record(restoration=Restoration(complete=False, jobs_left=3, records_left=1)), "html"))
    assert "NOT everything was restored: 3 fake jobs, 1 undo record." in text


def test_a_drill_of_which_nothing_is_known_still_has_a_page():
    page = render(record(verdict=Verdict.ERROR, started=None, ended=None, clock_start=None, restoration=None), "html")
    assert "The drill could not be judged: an error." in text_of(page)


def test_corrections_are_listed():
    assert "Emma's call to the client" in text_of(render(morning_rush(), "html")).replace("&#39;", "'")


def test_the_picture_has_words_for_those_who_cannot_see_it():
    page = render(morning_rush(), "html")
    assert "<svg viewBox" in page
    assert 'role="img" aria-labelledby="svg-title svg-text"' in page
    assert 'role="img" aria-label="fault to effect:' in page
