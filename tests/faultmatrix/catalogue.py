"""All plans, from the files in `plans/`: single ones, and families, spelled out over every write of every fault.

A family has `for`: lists whose every combination is a plan, `{name}` in its texts standing for the value. `write: each`
stands for each own write of a clean run of that fault, as `plans/reference.yaml` counts them, `write: every` for these,
its first dry run and its first evidence. A value that is a map brings several names at once. `ci` and `nightly` name
the combinations that run at every change, or only at night.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from tests.faultmatrix.plan import Plan, plan_of
from tests.faultmatrix.requests import ONCE_AT_LEAST

PLANS: Final = Path(__file__).parent / "plans"
REFERENCE: Final = PLANS / "reference.yaml"
LEFT_OUT: Final = PLANS / "left_out.yaml"


def all_plans() -> list[Plan]:
    """Every plan, in the order of the files.

    Raises:
        ValueError: two plans have one name.
    """
    return list(_all_of(PLANS))


@functools.cache
def _all_of(folder: Path) -> tuple[Plan, ...]:
    plans = tuple(plan for file in _files(folder) for plan in plans_of(file))
    twice = sorted(name for name, count in Counter(p.name for p in plans).items() if count > 1)
    if twice:
        raise ValueError(f"two plans are called {twice[0]}")
    return plans


def files() -> list[Path]:
    """The files with plans: the others say what there could be, and why it is not."""
    return _files(PLANS)


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*.yaml")) if file not in (REFERENCE, LEFT_OUT)]


@functools.cache
def counted() -> Mapping[str, Mapping[str, int]]:
    """The writes of a clean run of each fault."""
    counts: dict[str, dict[str, int]] = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    return counts


def plans_of(file: Path) -> Iterator[Plan]:
    """The plans of a file."""
    counts = counted()
    for entry in yaml.safe_load(file.read_text(encoding="utf-8")) or ():
        if "for" not in entry:
            yield plan_of(entry)
            continue
        in_ci, nightly = entry.get("ci"), entry.get("nightly")
        for values in _combined(entry["for"], counts):
            named = _filled({"name": entry["name"]} | entry["plan"], values)
            named["name"] = named["name"].replace(" ", "-")  # one word, as whoever repeats it must be able to say it
            named["in_ci"] = _among(values, in_ci)
            named["nightly"] = _among(values, nightly)
            yield plan_of(named)


def _among(values: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> bool:
    """Whether a family's `ci` or `nightly` names a combination: for each name that it gives, one of its values."""
    return chosen is not None and all(str(values[k]) in map(str, v) for k, v in chosen.items())


def _combined(axes: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    """Every combination of the lists; which writes there are depends on the fault, so they are spelled out last."""
    plain = {k: v for k, v in axes.items() if v not in ("each", "every") and not str(v).startswith("pairs")}
    for chosen in itertools.product(*plain.values()):
        values: dict[str, Any] = {}
        for axis, value in zip(plain, chosen, strict=True):
            values |= value if isinstance(value, dict) else {axis: value}
        if len(plain) == len(axes):
            yield values
            continue
        writes = own_writes(counts[values["fault"]])
        if axes["write"] in ("each", "every"):
            for kind, nth in writes + (more_writes(counts[values["fault"]]) if axes["write"] == "every" else []):
                yield values | {"write": f"{kind}-{nth}", "what": kind, "nth": nth}
        else:
            every = int(str(axes["write"]).split()[1])
            pairs = [(a, m) for a in writes for m in range(1, len(writes) + 1)]
            for (kind, nth), second in pairs[::every]:
                yield values | {"write": f"{kind}-{nth}", "what": kind, "nth": nth, "second": second}


def own_writes(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """A clean run's own writes, each by its kind and number."""
    return [(kind, nth) for kind, count in counts.items() for nth in range(1, count + 1)]


def more_writes(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """What a clean run writes, or asks for as if it did, besides. Only what touches objects has a dry run."""
    return [(kind, 1) for kind in ONCE_AT_LEAST if kind != "dry-run" or counts.keys() & {"target", "create"}]


def _filled(thing: Any, values: Mapping[str, Any]) -> Any:
    """The same with every `{name}` filled in; a text that is only `{name}` becomes the value itself."""
    if isinstance(thing, dict):
        return {k: _filled(v, values) for k, v in thing.items()}
    if isinstance(thing, list):
        return [_filled(v, values) for v in thing]
    if not isinstance(thing, str):
        return thing
    whole = thing[1:-1]
    if thing.startswith("{") and thing.endswith("}") and whole in values:
        return values[whole]
    return thing.format(**values)
