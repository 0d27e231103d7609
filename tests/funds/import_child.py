"""A process that works on imports as a worker does, in forks of itself that a test can kill at any moment.

It reads one word a line (see ACTS), forks, and says "pid N", then "done" with what the fork answered, or "dead". It runs
against the database of its COOP_HOME.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

import django

LINES, LOCATIONS = 2_500, 25


def world(word: str) -> None:
    """A program, its locations and a first import that stands: the one under test corrects some of its lines."""
    make.set_clock(make.EARNING)
    partner = make.make_partner()
    for number in range(LOCATIONS):
        make.make_enrollment(make.make_location(partner, external_id=f"L{number}"))
    receive(lines("1.00", LINES // 5))
    jobs.check_imports(make.EARNING)
    commit_import(Import.objects.get().pk, by=make.vendor("finance"), at=make.EARNING)
    jobs.commit_imports(make.EARNING)


def lines(amount: str, count: int) -> bytes:
    rows = [f"E{n},L{n % LOCATIONS},mci-csp-reseller,2023-08-{n % 28 + 1:02},{amount},USD" for n in range(count)]
    return "\n".join(["external_id,location,program,earned_on,amount,currency", *rows, ""]).encode()


def receive(data: bytes) -> Import:
    return receive_file(filename="e.csv", file=io.BytesIO(data), by=make.vendor("finance"), at=make.EARNING)


def send(word: str) -> None:
    receive(lines("2.50", LINES))


def ask_commit(word: str) -> None:
    commit_import(latest().pk, by=make.vendor("finance"), at=make.EARNING)


def ask_reverse(word: str) -> None:
    reverse_import(latest().pk, reason="A trial.", by=make.vendor("finance"), at=make.EARNING)


def work(word: str) -> None:
    """One ring of both jobs."""
    for job in (jobs.check_imports, jobs.commit_imports):
        done = job(make.EARNING)
        if done.failed:
            raise SystemExit(str(done.notes))


def latest() -> Import:
    return Import.objects.latest("id")


def state(word: str) -> dict[str, Any]:
    """All that an import leaves anywhere, and what the audit says of it."""
    delivery = latest()
    ((found,),) = rows(
        """SELECT jsonb_build_array((SELECT count(*) FROM funds_sentline), (SELECT count(*) FROM funds_stagedline),
             (SELECT count(*) FROM funds_importeffect), (SELECT count(*) FROM funds_earning),
             (SELECT sum(coop_change_minor) FROM funds_earning), (SELECT count(*) FROM funds_entry),
             (SELECT count(*) FROM funds_rebate), (SELECT sum(amount_minor) FROM funds_rebate),
             (SELECT count(*) FROM partners_event))::text"""
    )
    return {
        "status": delivery.status,
        "asked": delivery.asked_for,
        "left": json.loads(found),
        "earned": sum(Fund.objects.values_list("earned_minor", flat=True)),
        "differences": [str(difference) for difference in check_ledger().differences],
    }


ACTS = {act.__name__: act for act in (world, send, ask_commit, ask_reverse, work, state)}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        word = line.strip()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            try:
                os.write(writing, json.dumps(ACTS[word](word)).encode())
            except BaseException as error:  # noqa: BLE001 - the test reads it
                os.write(2, f"{word}: {error}\n".encode())
                os._exit(1)
            os._exit(0)
        say(f"pid {pid}")
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read().decode()
        _, status = os.waitpid(pid, 0)
        say(f"done {answer}" if status == 0 else "dead")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "coop.settings"
    django.setup()

    from django.conf import settings

    from coop import jobs
    from coop.lib.db import rows
    from funds.checks import check_ledger
    from funds.models import Fund, Import
    from funds.operations.earnings import commit_import
    from funds.operations.imports import receive_file
    from funds.operations.reversal import reverse_import
    from tests import factories as make

    settings.IMPORT_LINES_AT_ONCE = 100
    main()
