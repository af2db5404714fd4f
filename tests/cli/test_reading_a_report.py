"""`kubectl drill report` reads the parts of one revision, and again when another one has replaced them meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upgrade.test_what_an_earlier_version_stored import stored

from kubedrill.cli.connection import CliError
from kubedrill.cli.reports.stored_report import stored_record
from kubedrill.kube.client import Answer, Kube

TEXT = stored("report-part")["data"]["record"]
HALF = len(TEXT) // 2


class Stored(Kube):
    """`names` of the parts each time that the DrillReport is read, the last ones ever after; the parts by name."""

    def __init__(self, *names: list[str], **parts: str) -> None:
        self.names, self.parts = list(names), {name.replace("_", "-"): text for name, text in parts.items()}

    async def get(self, path: Any, **_more: Any) -> Answer:
        name = str(path).rpartition("/")[2]
        if name == "drillreports":
            names = self.names.pop(0) if len(self.names) > 1 else self.names[0]
            return Answer(200, {"items": [{"spec": {"drill": "storm", "drillUid": "d1", "record": names}}]})
        if name not in self.parts:
            return Answer(404, {"reason": "NotFound"})
        return Answer(200, {"data": {"record": self.parts[name]}})


async def test_parts_that_were_replaced_while_they_were_read_are_read_again():
    kube = Stored(["old-0", "old-1"], ["new-0", "new-1"], old_0="torn", new_0=TEXT[:HALF], new_1=TEXT[HALF:])
    assert (await stored_record(kube, "drills", "storm")).title == "A storm"


async def test_a_part_that_is_gone_for_good_is_said():
    with pytest.raises(CliError, match="a part of the report of storm is gone: one of old-0, old-1"):
        await stored_record(Stored(["old-0", "old-1"], old_0="torn"), "drills", "storm")


async def test_a_report_that_names_no_parts_yet_is_none_yet():
    with pytest.raises(CliError, match="no report of storm in drills yet"):
        await stored_record(Stored([]), "drills", "storm")
