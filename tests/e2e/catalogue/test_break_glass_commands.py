"""The ways out of what can't be verified, with the very commands of `docs/how-to/break-glass.md`."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.e2e.catalogue.stage import WITHIN, Enactment, in_play, known_failure, over_and_deleted
from tests.faultmatrix import people
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.plan import REPLIED, Rule
from tests.faultmatrix.run import Run
from tests.faultmatrix.shapes import GOOD

PAGE: Final = (Path(__file__).parents[3] / "docs/how-to/break-glass.md").read_text(encoding="utf-8")
REMOVED: Final = (Rule("record", ("remove-record",), nth=2, when=REPLIED),)
"""Somebody deletes the record as soon as it says that the fault is in: perhaps before the operator has read that."""
ERROR: Final = {"verdict": ("Error",)}
GONE: Final = ERROR | {"value": GOOD, "untold": True}


def commands(heading: str) -> list[str]:
    """The commands that stand under a heading."""
    section = PAGE.partition(f"### {heading}\n")[2].partition("\n##")[0]
    return [line for block in re.findall(r"```\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]


async def carried_out(run: Run, command: str, folder: str, record: str = "") -> tuple[int, str]:
    """What a command of the page comes to, with the names of this run in it."""
    for placeholder, name in (("RECORD", record), ("NAME", run.name), ("YOU", "somebody")):
        command = re.sub(rf"\b{placeholder}\b", name, command)
    command = command.replace("-n drills", f"-n {run.slot.control}")
    command = command.replace("kubectl drill", f"{sys.executable} -m kubedrill.cli.main")
    done = await asyncio.create_subprocess_shell(
        command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await done.communicate()
    assert done.returncode is not None
    return done.returncode, said.decode()


async def record_of(run: Run) -> dict[str, Any]:
    """The undo record of the run."""
    found = await run.slot.must(
        "GET", f"/api/v1/namespaces/{run.slot.control}/secrets", query=[("fieldSelector", "type=kubedrill.dev/undo")]
    )
    (record,) = found.body["items"]
    return dict(record)


async def stalled(run: Run) -> dict[str, Any]:
    """The Drill once it says that it is Stalled."""
    run.spawn(run.watch_for_stalled())
    await run.until(lambda: run.stuck, WITHIN, "Stalled is said")
    return dict(await run.slot.drill(run.name) or {})


async def mended(run: Run) -> dict[str, Any]:
    """A record is damaged in play; somebody takes it out, mends it, and puts it in again."""
    await in_play(run)
    record = await record_of(run)
    await people.damage_record(run.slot, run.name, run.plan.fault, "")
    seen = await stalled(run)
    people.damaged.pop(run.slot.number)
    take_out, put_in = commands("A record can't be read")
    with tempfile.TemporaryDirectory() as folder:
        name = record["metadata"]["name"]
        assert await carried_out(run, take_out, folder, name) == (0, "")
        assert await carried_out(run, "cat record.json", folder) == (0, "{}")
        good = base64.b64decode(record["data"]["record"]).decode()
        await carried_out(run, f"cat > record.json <<'END'\n{good}\nEND", folder)
        code, said = await carried_out(run, put_in, folder, name)
        assert code == 0, said
    run.ended_at = run.healed_at = time.monotonic()
    await over_and_deleted(run)
    return seen


@known_failure("KubeDrill review B1", "KubeDrill attack F2 (unparsable)", story=mended, expect=ERROR)
async def test_f2_a_record_that_can_not_be_read_holds_the_drill_until_it_is_mended(enacted: Enactment):
    """KubeDrill itself, attack F2 and review B1: a record that did not parse was left out of the list, so the drill
    was Restored, its finalizer off, the limit at the fault's for good. Here the drill is an Error that does not end,
    Stalled with the reason, its fields Unverified; mended with the page's two commands, it is put back.
    """
    status = enacted.saw["status"]
    assert status["phase"] == "Recovering"
    assert {f["outcome"] for f in status["restore"]["fields"]} == {"Unverified"}
    assert status["restore"]["complete"] is False
    assert enacted.saw["metadata"]["finalizers"] == ["kubedrill.dev/put-back"]
    assert "can't be read" in status["message"]
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert set(enacted.ends.values()) == {"Restored"}


async def by_hand(run: Run) -> str:
    """A record is deleted in play; somebody reads the values from the Drill and puts them back by hand."""
    await run.apply()
    await stalled(run)
    values, _give_up = commands("A record is gone, was exchanged, or can't be mended")
    with tempfile.TemporaryDirectory() as folder:
        code, said = await carried_out(run, values, folder)
    assert code == 0, said
    await run.do("restore-by-hand")
    run.ended_at = run.healed_at = time.monotonic()
    await over_and_deleted(run)
    return said


@known_failure("KubeDrill attack F2 (deleted)", story=by_hand, rules=REMOVED, expect=GONE)
async def test_f2_a_record_that_was_deleted_in_play_leaves_its_values_in_the_drill(enacted: Enactment):
    """KubeDrill itself, attack F2: with its record deleted by hand, the drill said "every touched field is back".
    Here the Drill keeps the values, and ends, as an Error, once a look at the target shows nothing of the fault.
    """
    assert f"resources/limits/memory: {GOOD}, by the drill {FAULTED}" in enacted.saw
    assert enacted.values() == [GOOD, FAULTED, GOOD]
    assert enacted.status["verdict"] == "Error"


async def given_up(run: Run) -> dict[str, Any]:
    """A record is deleted in play; somebody who may lets the drill end as what it is, and puts back afterwards."""
    await run.apply()
    await stalled(run)
    _values, give_up = commands("A record is gone, was exchanged, or can't be mended")
    with tempfile.TemporaryDirectory() as folder:
        code, said = await carried_out(run, give_up, folder)
    assert code == 6, said
    await run.until(run.ended, WITHIN, "over")
    ended = dict(await run.slot.drill(run.name) or {})
    await run.do("restore-by-hand")
    run.ended_at = run.healed_at = time.monotonic()
    await run.delete()
    await run.until(lambda: run.phase() == "Gone" and run.closed(), WITHIN, "gone")
    return ended


@known_failure("KubeDrill attack F2 (given up)", story=given_up, rules=REMOVED, expect=GONE)
async def test_what_can_not_be_verified_can_be_given_up_and_is_never_called_restored(enacted: Enactment):
    """KubeDrill itself, the other side of F2: a drill that can't be verified must not stay for ever. Here break-glass
    lets it end as what it is: Aborted, verdict Error, not complete, its fields Unverified, who decided in its notes.
    """
    status = enacted.saw["status"]
    assert (status["phase"], status["verdict"]) == ("Aborted", "Error")
    assert status["restore"]["complete"] is False
    assert {f["outcome"] for f in status["restore"]["fields"]} == {"Unverified"}
    assert "somebody decided" in " ".join(status["restore"]["notes"])
    restored = next(c for c in status["conditions"] if c["type"] == "Restored")
    assert restored["status"] == "False"


async def lock_taken(run: Run) -> dict[str, Any]:
    """Somebody's Secret stands where the lock would be; somebody of the group deletes it; a second drill runs."""
    await run.apply(desired="Hold")
    await run.until(lambda: run.phase() == "Held", WITHIN, "held")
    await run.do("forge-lock")
    await run.do("start-drill")
    await run.until(run.ended, WITHIN, "over")
    refused = dict(await run.slot.drill(run.name) or {})
    listing = await run.slot.must("GET", f"/api/v1/namespaces/{run.slot.control}/secrets")
    name = next(s["metadata"]["name"] for s in listing.body["items"] if s["metadata"]["name"].startswith("undo-"))
    (remove,) = commands("A Secret of another type bears a record's name")
    with tempfile.TemporaryDirectory() as folder:
        code, said = await carried_out(run, remove, folder, name)
    assert code == 0, said
    await over_and_deleted(run)
    return refused


@known_failure("KubeDrill attack F4", "KubeDrill attack F30", story=lock_taken, expect=ERROR)
async def test_f4_a_secret_under_the_name_of_a_record_is_never_carried_out(enacted: Enactment):
    """KubeDrill itself, attack F4 and F30: an Opaque Secret under a record's name was read as the drill's own intent
    and carried out, an exec hook in another namespace included. Here the drill ends in plain words, untouched.
    """
    assert "of type Opaque and no undo record" in enacted.saw["status"]["message"]
    assert enacted.values() == [GOOD]
    assert not enacted.writes("target")
