"""Reports of the vendor held against our books: what agrees, what differs, what is missing on either side; with real cents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed
from funds.bank.table import export_csv
from funds.checks import check_ledger
from funds.models import Entry, Payment, Reconciliation
from funds.operations.earnings import take_lines
from funds.operations.reconciliation import reconcile
from partners.models import Event
from tests import factories
from tests.factories import EARNING, earning_line, make_enrollment, make_location, make_partner, set_clock, vendor

pytestmark = pytest.mark.django_db

REPORT = "participantId,earningId,programName,earningType,earningDate,earningAmount,transactionCurrency,comment\n"
NAME = "MCI CSP indirect reseller"


@pytest.fixture
def location() -> str:
    """Three lines of August 2023 are known: 250.00 co-op, 375.00 rebate, 88.41 co-op."""
    set_clock(EARNING)
    external_id = make_enrollment(make_location(make_partner("Halden Cloud"))).location.external_id
    lines = [
        ("E1", "coop", "250.00", "2023-08-15"),
        ("E2", "rebate", "375.00", "2023-08-15"),
        ("E3", "coop", "88.41", "2023-08-20"),
    ]
    deliver(external_id, *lines)
    return external_id


def deliver(location: str, *lines: tuple[str, str, str, str]) -> None:
    rows = [earning_line(location, amount, on=day, external_id=name, kind=kind) for name, kind, amount, day in lines]
    assert take_lines(rows, by=vendor("finance"), at=clock.now()).rejected == 0


def line(location: str, name: str, kind: str = "Coop", amount: str = "250.00", day: str = "2023-08-15") -> str:
    return f"{location},{name},{NAME},{kind},{day}T00:00:00Z,{amount},USD,x\n"


def compare(text: str, kind: str = "earned", known_at: datetime | None = None) -> Reconciliation:
    return reconcile(
        kind=kind,
        filename="theirs.csv",
        file=BytesIO(text.encode()),
        known_at=known_at,
        by=vendor("finance"),
        at=clock.now(),
    )


def said(made: Reconciliation) -> list[tuple[str, int | None, str, int | None, int | None]]:
    return [(row.outcome, row.line_no, row.key, row.theirs_minor, row.ours_minor) for row in made.lines.order_by("id")]


# --- Earned -----------------------------------------------------------------------------------------------------------


def test_a_report_that_says_the_same_matches_to_the_cent(location: str) -> None:
    text = (
        REPORT
        + line(location, "E3", "Coop", "88.41", "2023-08-20")
        + line(location, "E1")
        + line(location, "E2", "Rebate", "375.00")
    )
    made = compare(text)
    assert (made.matched, said(made)) == (3, [])
    assert made.totals == [{"currency": "USD", "theirs": "713.41", "ours": "713.41", "difference": "0.00"}]
    assert made.scope == [
        {"program": "mci-csp-reseller", "earning_period": "FY24-H1", "first": "2023-08-15", "last": "2023-08-20"}
    ]


def test_what_differs_and_what_is_missing_on_either_side_is_named_with_both_amounts(location: str) -> None:
    text = (
        REPORT
        + line(location, "E1", amount="250.01")
        + line(location, "E9", amount="-12.40", day="2023-08-31")
        + line("nowhere", "E2")
    )
    made = compare(text)
    assert (made.matched, made.different, made.missing_here, made.missing_there, made.unreadable) == (0, 1, 2, 2, 0)
    assert said(made) == [
        ("different", 2, "E1", 25_001, 25_000),
        ("missing_here", 3, "E9", -1_240, None),
        ("missing_here", 4, "E2", 25_000, None),
        ("missing_there", None, "E2", None, 37_500),
        ("missing_there", None, "E3", None, 8_841),
    ]
    assert made.totals == [{"currency": "USD", "theirs": "487.61", "ours": "713.41", "difference": "225.80"}]
    found = {(row.outcome, row.key): row for row in made.lines.all()}
    assert found["different", "E1"].record_type == "fund"
    assert "no location “nowhere”" in found["missing_here", "E2"].message


def test_our_own_lines_are_sought_only_in_the_days_and_programs_of_the_report(location: str) -> None:
    made = compare(REPORT + line(location, "E1") + line(location, "E2", "Rebate", "375.00"))
    assert (made.matched, made.missing_there) == (2, 0)  # E3 was earned five days later


def test_a_slip_of_the_pen_in_one_day_does_not_stretch_what_the_report_covers(location: str) -> None:
    text = line(location, "E1") + line(location, "E2", "Rebate", "375.00") + line(location, "X", day="2003-08-15")
    made = compare(REPORT + text + line(location, "Y", day="2035-08-15"))
    assert (made.matched, made.missing_here, made.missing_there) == (2, 2, 0)


def test_the_books_are_asked_as_they_were_known_then(location: str) -> None:
    known = clock.now()
    set_clock(EARNING + timedelta(days=3))
    deliver(location, ("E4", "coop", "10.00", "2023-08-15"))
    text = REPORT + line(location, "E1") + line(location, "E2", "Rebate", "375.00")
    assert compare(text).missing_there == 1
    assert compare(text, known_at=known).missing_there == 0
    assert compare(text, known_at=known - timedelta(days=1)).missing_here == 2
    with pytest.raises(Invalid, match="has not come yet"):
        compare(text, known_at=clock.now() + timedelta(seconds=1))


def test_the_same_amount_under_another_kind_day_or_program_differs_and_says_how(location: str) -> None:
    made = compare(REPORT + line(location, "E1", "Rebate", day="2023-08-16") + line(location, "E2", "Rebate", "375.00"))
    (found,) = made.lines.filter(outcome="different")
    assert (
        found.message == "The report says earned on 2023-08-16, we say 2023-08-15. The report says rebate, we say coop."
    )
    assert made.totals[0]["difference"] == "0.00"


def test_lines_that_cannot_be_compared_keep_their_place_and_reason(location: str) -> None:
    text = (
        REPORT
        + line(location, "E1")
        + line(location, "E1")
        + line(location, "", amount="1.234", day="15.08.2023")
        + "a,b\n"
    )
    made = compare(text)
    assert [(row.line_no, row.outcome) for row in made.lines.order_by("line_no")[:4]] == [
        (2, "unreadable"),
        (3, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
    ]
    messages = list(made.lines.filter(outcome="unreadable").order_by("line_no").values_list("message", flat=True))
    assert "more than once, in lines 2, 3" in messages[0]
    for part in ("id of the earning is missing", "is not a day", "1.234 has 3 decimals"):
        assert part in messages[2]
    assert "2 cells" in messages[3]
    assert made.missing_there == 0  # no line can be read, so nothing says what the report covers


def test_amounts_are_read_as_an_import_reads_them(location: str) -> None:
    deliver(location, ("E5", "coop", "1250.50", "2023-08-15"))
    known = (("E1", "250"), ("E2", "375"), ("E5", "1.250,50"))
    rows = [f"{location};{name};{NAME};2023-08-15;{amount};USD" for name, amount in known]
    text = "participantId;earningId;programName;earningDate;earningAmount;transactionCurrency\n" + "\n".join(rows)
    assert compare(text).matched == 3
    assert compare(text.replace("1.250,50", "1,250.50")).matched == 3
    mixed = compare(text.replace("250;", "250,00;").replace("1.250,50", "1,250.50"))
    assert (mixed.matched, mixed.unreadable) == (2, 1)  # only what shows its mark itself


def test_what_is_no_report_is_refused_with_all_that_is_missing() -> None:
    with pytest.raises(Invalid) as refused:
        compare("earningId,amount\n1,2\n")
    assert [error.field for error in refused.value.errors] == [
        "columns.location_code",
        "columns.program_code",
        "columns.earned_text",
        "columns.currency",
    ]
    for text, code in (("", "no_rows"), (REPORT, "no_rows"), (REPORT + 'E1,"open\n', "quoting")):
        with pytest.raises(Invalid) as refused:
            compare(text)
        assert refused.value.errors[0].code == code
    assert Reconciliation.objects.count() == 0


def test_a_comparison_changes_no_money_and_leaves_one_event(location: str) -> None:
    entries = Entry.objects.count()
    made = compare(REPORT + line(location, "E1", amount="999.99"))
    assert Entry.objects.count() == entries
    assert not check_ledger(()).differences
    event = Event.objects.get(verb="reconciliation.made")
    assert (event.subject, event.vendor_only, event.data["different"]) == (str(made.pk), True, 1)
    with pytest.raises(NotAllowed):
        reconcile(kind="earned", filename="x", file=BytesIO(b"x"), by=vendor("auditor"), at=clock.now())


# --- Paid -------------------------------------------------------------------------------------------------------------

LIST = "bank_reference,partner_id,currency,amount,sent_on,status\n"


@pytest.fixture
def payment() -> Payment:
    """3,217.45 USD were sent on 4 March 2024; the bank's reference is BANK and the payment's number."""
    factories.make_approved_claim(factories.make_fund(), "3217.45")
    factories.pay_all()
    return Payment.objects.get()


def row(payment: Payment, amount: str = "3217.45", reference: str = "", status: str = "sent") -> str:
    return f"{reference or payment.bank_reference},{payment.partner.external_id},USD,{amount},2024-03-04,{status}\n"


def test_our_own_export_of_a_settled_run_matches(payment: Payment) -> None:
    made = compare(export_csv(payment.run), "paid")
    assert (made.matched, said(made)) == (1, [])
    assert made.totals == [{"currency": "USD", "theirs": "3217.45", "ours": "3217.45", "difference": "0.00"}]


def test_a_payment_is_found_by_the_banks_reference_and_a_cent_is_seen(payment: Payment) -> None:
    made = compare(LIST + row(payment, "3217.44"), "paid")
    assert said(made) == [("different", 2, payment.bank_reference, 321_744, 321_745)]
    assert made.lines.get().record == str(payment.pk)
    assert compare(LIST + row(payment, "3,217.45"), "paid").matched == 0  # the row has a cell too many
    assert compare(LIST + row(payment, '"3,217.45"'), "paid").matched == 1


def test_a_payment_that_they_do_not_know_of_and_one_that_we_do_not(payment: Payment) -> None:
    made = compare(LIST + row(payment, "50.00", "OTHER-9"), "paid")
    assert said(made) == [
        ("missing_here", 2, "OTHER-9", 5_000, None),
        ("missing_there", None, str(payment.pk), None, 321_745),
    ]


def test_a_payment_that_they_say_failed_differs_and_one_that_nobody_made_agrees(payment: Payment) -> None:
    made = compare(LIST + row(payment, status="failed") + row(payment, "9.00", "OTHER-1", "failed"), "paid")
    assert (made.matched, said(made)) == (1, [("different", 2, payment.bank_reference, 0, 321_745)])
    assert "did not reach the partner" in made.lines.get().message


def test_before_it_was_sent_we_did_not_know_of_it(payment: Payment) -> None:
    made = compare(LIST + row(payment), "paid", known_at=datetime(2024, 3, 1, tzinfo=UTC))
    assert (made.matched, made.missing_here) == (0, 1)


def test_a_list_of_payments_needs_a_number_or_a_reference() -> None:
    with pytest.raises(Invalid, match="payment_id or bank_reference"):
        compare("amount,currency,day,status\n1.00,USD,2024-03-04,sent\n", "paid")
