"""The JSON is the record: what was stored is what is read back."""

import json
import math
from dataclasses import replace

import pytest
from tests.reports.records import T0, fact, morning_rush, record

from kubedrill.core.evidence.facts import FactKind, Sample, Series
from kubedrill.plugins.reports import render
from kubedrill.plugins.reports.json_format import SCHEMA, UnreadableRecordError, record_from_json


@pytest.mark.parametrize("drill", [morning_rush(), record(), record(clock_start=None, verdict=None)])
def test_a_record_comes_back_as_it_was(drill):
    assert record_from_json(render(drill, "json")) == drill


def test_every_format_of_a_record_that_came_back_is_the_same_to_the_byte():
    drill = morning_rush()
    again = record_from_json(render(drill, "json"))
    assert [render(again, f) for f in ("html", "markdown", "junit")] == [
        render(drill, f) for f in ("html", "markdown", "junit")
    ]


def test_details_of_facts_keep_their_types():
    detail = {"exitCode": 137, "drill": True, "labels": {"a": "b"}, "pods": ["x"], "none": None}
    drill = record(facts=(fact(FactKind.POD_OOM_KILLED, 1, detail=detail),))
    assert record_from_json(render(drill, "json")).facts[0].detail == detail


def test_samples_that_are_no_number_are_no_data():
    series = Series("impact", (Sample(T0, math.nan), Sample(T0, 3.0), Sample(T0, math.inf)))
    assert record_from_json(render(record(impact=series), "json")).impact.samples == (Sample(T0, 3.0),)


def test_the_summary_has_the_bounds_in_seconds_for_programs():
    summary = json.loads(render(morning_rush(), "json"))["summary"]
    assert (summary["met"], summary["of"], summary["verdict"]) == (6, 7, "Failed")
    assert summary["objectives"][5] == {
        "name": "mitigation",
        "verdict": "Missed",
        "limitSeconds": 1200.0,
        "lowerSeconds": 1380.0,
        "upperSeconds": 1680.0,
    }


def test_a_document_of_another_version_is_refused_by_name():
    with pytest.raises(UnreadableRecordError, match=r"drill-record/v2.*reads.*drill-record/v1"):
        record_from_json(render(record(), "json").replace(SCHEMA, SCHEMA.replace("v1", "v2")))


def test_what_is_no_json_is_refused():
    with pytest.raises(UnreadableRecordError, match="not JSON"):
        record_from_json("{")


def test_a_missing_field_is_named():
    document = json.loads(render(record(), "json"))
    del document["record"]["title"]
    with pytest.raises(UnreadableRecordError, match="title: Field required"):
        record_from_json(json.dumps(document))


def test_an_interval_that_ends_before_it_starts_is_refused():
    document = json.loads(render(record(), "json"))
    document["record"]["clock_start"] = {
        "not_before": "2025-11-04T09:16:00Z",
        "not_after": "2025-11-04T09:15:00Z",
    }
    with pytest.raises(UnreadableRecordError, match=r"clock_start.*ends before it starts"):
        record_from_json(json.dumps(document))


def test_a_replaced_title_does_not_change_what_is_stored_beside_it():
    assert record_from_json(render(replace(record(), title="é\u202e"), "json")).title == "é\u202e"


def test_it_is_ascii_so_that_it_can_be_cut_into_parts_of_known_size():
    assert render(record(title="Rückstau – 待ち行列"), "json").isascii()
