"""Partners, funds and their money, made in sets. Money comes in through the ledger, as an import brings it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.db import transaction

from coop.lib.db import execute, rows
from coop.lib.models import SandboxClock
from funds.ledger import post_selected
from funds.models import EarningPeriod, Import
from partners.models import Person

PROGRAM = "mci-csp-reseller"
EARNING = datetime(2023, 12, 1, 12, tzinfo=UTC)
CLAIMING = datetime(2024, 3, 4, 9, tzinfo=UTC)  # claims for FY24 H1 are taken
AFTER = datetime(2024, 8, 20, 9, tzinfo=UTC)  # FY24 H1 is to expire, claims for FY24 H2 are taken
CHUNK = 5_000
STARTED = datetime(2022, 7, 1, tzinfo=UTC)


def set_clock(at: datetime) -> datetime:
    SandboxClock.objects.update_or_create(id=1, defaults={"now": at, "jobs_held": False})
    return at


def finance() -> Person:
    return Person.objects.get(email="finance@vendor.example")


def period(code: str, program: str = PROGRAM) -> EarningPeriod:
    return EarningPeriod.objects.select_related("program").get(program__code=program, code=code)


def make_partners(count: int, *, program: str = PROGRAM) -> None:
    """So many partners with one location each, enrolled in a program; ids ascend together."""
    execute(
        """INSERT INTO partners_partner (external_id, name, country, revision, created_at)
           SELECT 'P' || (1000000 + n), 'Partner ' || n, 'US', 1, %s FROM generate_series(1, %s) n""",
        [STARTED, count],
    )
    execute(
        """INSERT INTO partners_location (partner_id, external_id, name, country, revision, created_at)
           SELECT id, 'L' || substr(external_id, 2), 'Head office', 'US', 1, created_at FROM partners_partner
           WHERE external_id LIKE 'P1%%' ORDER BY id"""
    )
    execute(
        """INSERT INTO funds_enrollment (partner_id, location_id, program_id, starts_on, payout_profile_complete, revision,
             created_at)
           SELECT l.partner_id, l.id, p.id, %s, true, 1, %s FROM partners_location l, funds_program p WHERE p.code = %s
           ORDER BY l.id""",
        [date(2022, 7, 1), STARTED, program],
    )
    execute("ANALYZE partners_partner, partners_location, funds_enrollment")


def make_marketers() -> None:
    """A marketer for every partner that has nobody, like the first one there is."""
    execute(
        """INSERT INTO partners_person (email, name, role, title, partner_id, sees_every_partner, is_active, revision,
             created_at, password)
           SELECT 'marketer' || p.id || '@partner.example', m.name, m.role, m.title, p.id, false, true, 1, p.created_at,
             m.password
           FROM partners_partner p, (SELECT * FROM partners_person WHERE role = 'marketer' ORDER BY id LIMIT 1) m
           WHERE NOT EXISTS (SELECT 1 FROM partners_person o WHERE o.partner_id = p.id)"""
    )


def make_funds(code: str, *, program: str = PROGRAM, at: datetime = EARNING, first: int | None = None) -> list[int]:
    """An empty fund of one period for every enrollment, or for the first so many; their ids."""
    half = period(code, program)
    execute(
        """INSERT INTO funds_fund (partner_id, location_id, program_id, enrollment_id, earning_period_id, currency,
             earned_minor, adjustments_minor, available_minor, reserved_minor, in_review_minor, approved_minor, paid_minor,
             expired_minor, converted_minor, settled_at, created_at)
           SELECT partner_id, location_id, program_id, id, %s, 'USD', 0,0,0,0,0,0,0,0,0, %s, %s
           FROM funds_enrollment WHERE program_id = %s ORDER BY id LIMIT %s""",
        [half.id, half.settle_at, at, half.program_id, first],
    )
    execute("ANALYZE funds_fund")
    return [row[0] for row in rows("SELECT id FROM funds_fund WHERE earning_period_id = %s ORDER BY id", [half.id])]


def earn(ids: list[int], *, times: int = 1, on: date = date(2023, 8, 15), at: datetime = EARNING) -> None:
    """Every fund earns `times` times, as if so many imports had come; one entry each, amounts differ."""
    for turn in range(times):
        for first in range(0, len(ids), CHUNK):
            with transaction.atomic():
                post_selected(
                    """SELECT id, partner_id, currency, 'earning', 'program', 'available',
                         1000000 + (id * 7919 + %s) %% 900000, %s, %s::timestamptz + %s * interval '1 hour', NULL, 'import', %s,
                         'import:' || %s::text
                       FROM funds_fund WHERE id = ANY(%s) ORDER BY id""",
                    [turn, on, at, turn, str(turn), str(turn), ids[first : first + CHUNK]],
                )


HISTORY_MINOR = 10_000_000


def post_history(ids: list[int], each: int) -> None:
    """`each` entries for every fund, a day of the earning period after the other: one earning, then holds and releases for
    the claim that has the fund's number.

    Written with the ledger's triggers off, by the owner of the tables, and the totals set as the triggers would have: with
    them ten million entries take ten minutes. The chain is left out, which no balance and no check of the ledger reads.
    """
    with transaction.atomic():
        for table in ("funds_entry", "funds_fund"):
            execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for first in range(0, len(ids), CHUNK):
            execute(
                f"""INSERT INTO funds_entry (fund_id, partner_id, currency, kind, from_bucket, to_bucket, amount_minor,
                      effective_on, recorded_at, reference_type, reference, key)
                    SELECT f.id, f.partner_id, f.currency,
                      CASE WHEN n = 1 THEN 'earning' WHEN n %% 2 = 0 THEN 'hold' ELSE 'release' END,
                      CASE WHEN n = 1 THEN 'program' WHEN n %% 2 = 0 THEN 'available' ELSE 'in_review' END,
                      CASE WHEN n %% 2 = 0 THEN 'in_review' ELSE 'available' END,
                      CASE WHEN n = 1 THEN {HISTORY_MINOR} ELSE 100 + n / 2 %% 1000 END,
                      date '2023-07-01' + ((n * 184::bigint / %s) %% 184)::int, %s::timestamptz + n * interval '1 second',
                      'claim', f.id::text,
                      'claim:' || f.id || CASE n %% 2 WHEN 0 THEN ':sent:' ELSE ':withdrawn:' END || n / 2
                    FROM generate_series(1, %s) n, funds_fund f WHERE f.id = ANY(%s) ORDER BY n, f.id""",
                [each + 1, EARNING, each, ids[first : first + CHUNK]],
            )
        held = 100 + each // 2 % 1000 if each % 2 == 0 else 0
        execute(
            """UPDATE funds_fund SET earned_minor = %s, available_minor = %s, in_review_minor = %s, entries_posted = %s
               WHERE id = ANY(%s)""",
            [HISTORY_MINOR, HISTORY_MINOR - held, held, each, ids],
        )
        for table, trigger in rows(
            """SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger
               WHERE NOT tgisinternal AND tgrelid IN ('funds_entry'::regclass, 'funds_fund'::regclass)"""
        ):
            execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def back_history() -> None:
    """What the entries of `post_history` speak of, so that everything agrees: a line of earnings and a claim for each fund."""
    delivery = Import.objects.create(
        filename="bench.csv", format="incentives", status="committed", created_by=finance(), created_at=EARNING
    )
    execute(
        """INSERT INTO funds_earning (partner_id, external_id, location_id, program_id, earning_period_id, enrollment_id,
             delivery_id, line_no, kind, earned_on, amount_minor, currency, fund_currency, fund_amount_minor, rebate_minor,
             coop_minor, rebate_change_minor, coop_change_minor, lever, reason_code, created_at)
           SELECT partner_id, 'E-' || id, location_id, program_id, earning_period_id, enrollment_id,
             %s, 2, 'coop', %s, %s, currency, currency, %s, 0, %s, 0, %s, '', '', %s
           FROM funds_fund WHERE entries_posted > 0 ORDER BY partner_id""",
        [delivery.id, date(2023, 8, 15), *[HISTORY_MINOR] * 4, EARNING],
    )
    execute(
        """INSERT INTO claims_claim (id, number, partner_id, fund_id, activity_id, title, solution_area, country, currency,
             metrics, status, turn_since,
             claimed_minor, held_minor, from_plan_minor, approved_minor, paid_minor, findings, returned_fixes, decision_note,
             dispute, sendings, submitted_at, first_submitted_at, submitted_by_id, created_by_id, created_at, revision)
           SELECT f.id, 'CL-' || lpad(f.id::text, 8, '0'), f.partner_id, f.id, a.id, a.name, '', 'US', f.currency, '{}',
             'withdrawn', %s, 0, 0, 0, 0, 0, '[]', '[]', '', '', 1, %s, %s, p.id, p.id, %s, 1
           FROM funds_fund f, (SELECT * FROM claims_activity ORDER BY id LIMIT 1) a,
             (SELECT * FROM partners_person ORDER BY id LIMIT 1) p
           WHERE f.entries_posted > 0 ORDER BY f.id""",
        [CLAIMING] * 4,
    )
