"""`make chaos`: the real stack under load, killed at random, and at the end an auditor who proves what was promised.

    make chaos ARGS="--minutes 10 --seed 7"     # the long run
    make chaos ARGS="--seconds 90 --break no-lock"   # with one guard taken away: the auditor must notice

It prints its figures and ends with status 1 on any breach; then it keeps its folder.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos import report
from tests.chaos.breaks import NAMES
from tests.chaos.run import LONG, Plan, Run


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, help="instead of minutes")
    parser.add_argument("--seed", default="", help="repeats the choices of a run (not the machine's timing)")
    parser.add_argument("--break", dest="broken", default="", choices=sorted(NAMES), help="take one guard away")
    parser.add_argument(
        "--home", type=Path, help="a folder for the data; by default a new one, deleted when all is well"
    )
    parser.add_argument("--port", default=os.environ.get("PORT", "8197"))
    return parser.parse_args()


def main() -> int:
    said = asked()
    home = said.home or Path(tempfile.mkdtemp(prefix="coop-chaos-", dir="/tmp"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    plan = Plan(**{**vars(LONG), "seconds": said.seconds or said.minutes * 60})
    run = Run(home / "coop", seed=said.seed or secrets.token_hex(3), port=said.port, plan=plan, broken=said.broken)
    found = run.go(lambda text: sys.stdout.write(f"{text}\n") and None)
    sys.stdout.write(report.as_text(found))
    if found["breaches"]:
        sys.stdout.write(f"\nEverything is kept in {home}.\n")
        return 1
    if said.home is None:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
