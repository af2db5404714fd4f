"""The main job, as a newcomer sees it: the seed's drill, live, with scripted players; then the proof.

Applies the environment, the roster, the scenario and its drill, lets the players act while the live view shows what
happens, imports the audit log, writes the report, and shows that everything is back: fields, undo records, fake jobs.
Ends with 0 if the drill ran to its verdict and all was put back, whatever the players were worth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from install import CONTROL, ROOT, kubectl

from kubedrill.plugins.reports.json_format import record_from_json
from kubedrill.plugins.reports.wording import headline, objective_sentence

NAMESPACE = "staging"
DRILL = "morning-rush"
SCENARIO = ROOT / "scenarios/morning-rush"
OUT = ROOT / "build/demo"
FIELDS = ("resources", "strategy", "minReadySeconds", "replicas")
RAN = {0, 1, 7}  # passed, an objective missed, inconclusive: the drill ran to its verdict


def drill(*arguments: str) -> list[str]:
    """The command line of `kubectl drill`."""
    return [str(Path(sys.executable).with_name("kubedrill")), *arguments]


def deployment() -> dict[str, object]:
    """The target as it is now, without what the cluster itself moves."""
    found = json.loads(
        kubectl("get", "deployment", "ai-agents-worker", "-n", NAMESPACE, "-o", "json", "--show-managed-fields").stdout
    )
    spec = found["spec"]
    container = next(c for c in spec["template"]["spec"]["containers"] if c["name"] == "worker")
    return {
        "resources": container["resources"],
        "strategy": spec["strategy"],
        "replicas": spec["replicas"],
        "minReadySeconds": spec.get("minReadySeconds", 0),
        "managers": sorted({m["manager"] for m in found["metadata"]["managedFields"]}),
    }


def prepare() -> None:
    """Opts the namespace in, gives the players their rights, clears an earlier drill."""
    say("the namespace opts in, the players get their rights")
    subprocess.run(drill("opt-in", NAMESPACE), check=True, stdout=subprocess.DEVNULL)
    kubectl("apply", "-n", NAMESPACE, "-f", str(SCENARIO / "players.yaml"))
    kubectl("delete", "drill", DRILL, "-n", CONTROL, "--ignore-not-found", "--timeout=60s")
    kubectl("delete", "playeractions", "--all", "-n", NAMESPACE)
    OUT.mkdir(parents=True, exist_ok=True)


def play(script: str | None) -> int:
    """Runs the drill to its end; gives the exit code of the live view, which tells the verdict."""
    for name in ("environment", "roster", "scenario", "drill"):
        kubectl("apply", "-f", str(SCENARIO / f"{name}.yaml"))
    players = None
    if script:
        file = SCENARIO / "plays" / f"{script}.yaml"
        with (OUT / "play.log").open("w", encoding="utf-8") as log:
            players = subprocess.Popen(
                drill("play", str(file), "--truth", str(OUT / "truth.jsonl")), stdout=log, stderr=subprocess.STDOUT
            )
    else:
        say(f"you play: kubectl drill ack --as alice@example.com; kubectl -n {NAMESPACE} get pods; …")
    code = subprocess.run(drill("watch", DRILL, "-n", CONTROL), check=False).returncode
    if players:
        players.terminate()
        players.wait(10)
    return code


def after() -> None:
    """Imports the audit log and writes the report in all formats."""
    log = subprocess.run(
        [sys.executable, "-m", "cluster", "audit-log"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if log.returncode == 0:
        say("the API server's audit log becomes evidence")
        subprocess.run(drill("import-audit", DRILL, "-n", CONTROL, "--log", log.stdout.strip()), check=True)
    subprocess.run(drill("report", DRILL, "-n", CONTROL, "-o", str(OUT)), check=True, stdout=subprocess.DEVNULL)


def proof(before: dict[str, object]) -> bool:
    """Shows, from the cluster itself, that everything is back."""
    now = deployment()
    uid = kubectl("get", "drill", DRILL, "-n", CONTROL, "-o", "jsonpath={.metadata.uid}").stdout
    records = kubectl(
        "get",
        "secrets",
        "-n",
        CONTROL,
        "--field-selector",
        "type=kubedrill.dev/undo",
        "-o",
        "name",
        "-l",
        f"kubedrill.dev/drill-uid={uid}",
    )
    jobs = kubectl(
        "exec",
        "-n",
        NAMESPACE,
        "deploy/redis",
        "--",
        "redis-cli",
        "--raw",
        "EVAL",
        "local n=0 for _,k in ipairs(redis.call('KEYS','*')) do if redis.call('TYPE',k).ok=='list' then"
        " for _,j in ipairs(redis.call('LRANGE',k,0,-1)) do if string.find(j,'\"drill%-') then n=n+1 end"
        " end end end return n",
        "0",
    ).stdout.strip()
    kept = [key for key in FIELDS if before[key] != now[key]]
    say("put back, read from the cluster itself")
    for key in FIELDS:
        changed = f"  (before: {json.dumps(before[key])})" if key in kept else ""
        print(f"    {key:16} {json.dumps(now[key])}{changed}")
    left = records.stdout.split()
    print(f"    undo records     {len(left)}\n    fake jobs        {jobs}")
    return not kept and not left and jobs == "0"


def say(text: str) -> None:
    """One line of progress."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def main() -> int:
    """The whole demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--play", default="morning-rush", help="which team plays: a file of scenarios/…/plays")
    parser.add_argument("--players-me", action="store_true", help="nobody is scripted: you play")
    options = parser.parse_args()
    started = time.monotonic()
    prepare()
    before = deployment()
    code = play(None if options.players_me else options.play)
    if code not in RAN:
        print(f"the drill did not run to its verdict (exit code {code})")
        return code
    after()
    back = proof(before)
    record = record_from_json((OUT / "report.json").read_text(encoding="utf-8"))
    say(headline(record))
    for objective in record.objectives:
        print(f"    {objective_sentence(objective, record.pace)}")
    print(f"    report           {(OUT / 'report.html').relative_to(ROOT)} (also .md, .json)")
    print(f"    took             {time.monotonic() - started:.0f} s")
    if not back:
        print("something is not as it was before: see above")
    return 0 if back else 6


if __name__ == "__main__":
    sys.exit(main())
