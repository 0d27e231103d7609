"""Claims that are complete and not sent, one for each fund; and the process that sends them.

One claim is written through the operations, with its invoice, its proofs and its results. The others are copies of its rows.
"""

from __future__ import annotations

import select
import sys
import time
from datetime import timedelta

import bench.ready  # noqa: F401 - makes Django ready
from claims.models import Claim
from claims.operations.documents import add_document
from claims.operations.drafting import add_line, create_claim, update_claim
from claims.operations.sending import submit_claim
from claims.queries.book import metrics_asked, proofs_asked
from coop.lib import clock
from coop.lib.db import execute, rows
from coop.story import papers
from funds.models import Fund
from partners.models import Person
from partners.operations import create_person

ACTIVITY = "telemarketing"
ANSWERS = {"count": "120", "money": "120.00"}
PDF, PNG = papers.pdf("An invoice", []), papers.png(0)


def make(fund_ids: list[int]) -> list[int]:
    """A complete draft for each fund; their ids."""
    first = write_one(Fund.objects.select_related("partner", "earning_period").get(id=fund_ids[0]))
    rest = fund_ids[1:]
    execute(
        """INSERT INTO partners_person (email, name, role, title, partner_id, sees_every_partner, is_active, revision,
             created_at, password)
           SELECT 'marketer' || f.partner_id || '@partner.example', name, role, title, f.partner_id, false, true, 1,
             p.created_at, p.password
           FROM partners_person p, funds_fund f WHERE p.id = %s AND f.id = ANY(%s)""",
        [first.created_by_id, rest],
    )
    copy(
        "claims_claim",
        "f.id = ANY(%s)",
        [rest, first.pk],
        "funds_fund f JOIN partners_person p ON p.partner_id = f.partner_id",
        {
            "number": "'CL-' || upper(lpad(to_hex(f.id), 8, '0'))",
            "fund_id": "f.id",
            "partner_id": "f.partner_id",
            "created_by_id": "p.id",
        },
    )
    for table in ("claims_claimline", "claims_document"):
        copy(table, "c.fund_id = ANY(%s)", [rest, first.pk], "claims_claim c", {"claim_id": "c.id"}, of="claim_id")
    execute(
        """UPDATE claims_document d SET line_id = l.id FROM claims_claimline l
           WHERE d.claim_id = l.claim_id AND d.line_id IS NOT NULL"""
    )
    execute("ANALYZE")
    return [row[0] for row in rows("SELECT id FROM claims_claim WHERE fund_id = ANY(%s) ORDER BY id", [fund_ids])]


def copy(table: str, where: str, params: list[object], others: str, changed: dict[str, str], *, of: str = "id") -> None:
    """Copy the row of a table that belongs to the first claim once for each row of `others`, with some columns changed."""
    names = [
        name
        for (name,) in rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attname <> 'id'",
            [table],
        )
    ]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} t, {others} WHERE {where} AND t.{of} = %s",
        params,
    )


def write_one(fund: Fund) -> Claim:
    at, day = clock.now(), fund.earning_period.use_from + timedelta(days=10)
    marketer = create_person(
        email="first@partner.example", name="Marketer", role="marketer", partner_id=fund.partner_id, by=None, at=at
    )
    who = {"by": marketer, "at": at}
    claim = create_claim(fund_id=fund.id, activity_code=ACTIVITY, activity_from=day, activity_to=day, **who)
    line = add_line(
        claim.id,
        kind="invoice",
        amount_minor=400_000,
        supplier="Fabrikam Print",
        invoice_number="INV-1",
        invoiced_on=day,
        **who,
    )
    add_document(claim.id, kind="invoice", line_id=line.id, filename="invoice.pdf", data=PDF, **who)
    for proof in proofs_asked(claim):
        add_document(claim.id, kind=proof.code, filename="proof.png", data=PNG + proof.code.encode(), **who)
    results = {m.code: ANSWERS.get(m.kind, "Good") for m in metrics_asked(claim)}
    return update_claim(claim.id, {"metrics": results}, **who)


def send(ids: list[int]) -> None:
    """Send claims one after the other, each by its own writer as a request would: person, clock, operation."""
    for claim_id, person_id in rows("SELECT id, created_by_id FROM claims_claim WHERE id = ANY(%s)", [ids]):
        submit_claim(claim_id, by=Person.objects.get(id=person_id), at=clock.now())


def main() -> None:
    """Answer "send ID ..." with the seconds it took; "rate PER_SECOND ID ..." with what each took, until the next line."""
    rows("SELECT 1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in iter(sys.stdin.readline, ""):
        verb, *words = line.split()
        if verb == "send":
            began = time.perf_counter()
            send([int(word) for word in words])
            said = str(time.perf_counter() - began)
        else:
            said = " ".join(map(str, at_a_rate(float(words[0]), [int(word) for word in words[1:]])))
            sys.stdin.readline()
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


def at_a_rate(per_second: float, ids: list[int]) -> list[float]:
    """Send claims at fixed instants until there is something to read; how long each one took.

    After a stall, those whose instants went by meanwhile follow one after the other, each timed by itself: that they queue for
    this one client is not the product's doing.
    """
    found = []
    began = time.perf_counter()
    for turn, claim_id in enumerate(ids):
        due = began + turn / per_second
        if select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
            break
        started = time.perf_counter()
        send([claim_id])
        found.append(time.perf_counter() - started)
    return found


if __name__ == "__main__":
    main()
