"""However much a drill has to say, its DrillReport is one that the API server takes, and small."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.machine.world import START, seen, world_in

from kubedrill.api.people import DrillReport
from kubedrill.controller.reporting import record_of, report_of
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.reducer import reduce
from kubedrill.core.measure.results import Verdict
from kubedrill.store.reports import RECORD

DRILL = {"metadata": {"name": "d" * 63, "namespace": "drills", "uid": "d1234567-89ab"}}
MOST_BYTES = 64 * 1024
MOST_PARTS = 100
RECORDED = record_of(DRILL, reduce(world_in(Phase.IN_PLAY).stored, seen()), seen())
long_texts = st.builds(lambda text, times: text * times, st.text(max_size=20), st.sampled_from([1, 100, 5000]))


@given(st.text(max_size=256), long_texts, st.sampled_from([None, *Verdict]), st.integers(1, MOST_PARTS))
def test_whatever_its_title_its_reason_and_its_verdict(title, reason, verdict, parts):
    said = replace(RECORDED, title=title, verdict=verdict, verdict_reason=reason, verdict_message=reason)
    report = report_of(DRILL, said, START)
    name = report["metadata"]["name"]
    report["spec"][RECORD] = [f"{name}-0123456789-{n}" for n in range(parts)]

    DrillReport.model_validate(report)
    assert len(json.dumps(report, ensure_ascii=False).encode("utf-8", "replace")) <= MOST_BYTES
