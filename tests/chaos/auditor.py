"""Who proves, at the end of a run, that every promise was kept. Reads only.

Run as `python -m tests.chaos.auditor HOME PORT`; writes `audit.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django


def audit(home: Path) -> dict[str, object]:
    notes = read(home / "journals")
    lines = [*money(notes), *claims(notes), *records(notes), *telling(home), *work(home)]
    struggles = {"acts that got no answer at first": sum(act["tries"] > 1 for act in notes.answered.values())}
    moves = {"moves of the clock": len(notes.moves)}
    return {
        "lines": [line.as_dict() for line in lines],
        "breaches": sum(line.breaches for line in lines),
        "acts": notes.figures(),
        "figures": {**struggles, **moves, **counted()},
    }


def main() -> None:
    home = Path(sys.argv[1])
    (home / "audit.json").write_text(json.dumps(audit(home), indent=1))


if __name__ == "__main__":
    django.setup()

    from tests.chaos.audit_claims import claims
    from tests.chaos.audit_money import money
    from tests.chaos.audit_records import records
    from tests.chaos.audit_telling import telling
    from tests.chaos.audit_work import counted, work
    from tests.chaos.journals import read

    main()
