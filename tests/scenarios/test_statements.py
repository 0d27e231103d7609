"""A statement that is printed in January reads the same in June, byte by byte, although corrections came in between.

Northwind earns 40 % of 25,000.00 and 8.88 USD of incentives in FY24 H1, that is 10,003.55 USD of co-op. On 10 January 2024
it prints what stood in the fund at the end of 2023. Then earnings of that half are corrected, the threshold test runs, a
claim is paid, the deadline is extended and money expires.
"""

from __future__ import annotations

import hashlib
import io
from datetime import date, timedelta

import pypdf
import pytest

from coop.lib import clock
from funds import statements
from funds.models import Entry, Fund
from funds.operations.periods import extend_period
from funds.queries.past import FIGURES, balance_as_of
from funds.queries.statement import statement_of
from tests import factories as make
from tests.api.client import Api, api_of
from tests.scenarios.world import approve, begin, deliver, differences, draft, fund_of, instant, partner_in, reach, send

pytestmark = pytest.mark.django_db
FORMATS = ("json", "csv", "pdf")
YEAR_END, KNOWN_AT = "2023-12-31", "2024-01-10T00:00:00Z"


def begun() -> Fund:
    begin()
    enrollment = partner_in()
    deliver(enrollment, ("25000.00", "2023-08-15"), ("8.88", "2023-09-30"))
    reach("2024-01-10")
    return fund_of(enrollment)


def half_a_year_later(fund: Fund) -> None:
    """Corrections of the half, the threshold test, a claim that is decided and paid, and a deadline that moves."""
    reach("2024-01-12")
    deliver(fund.enrollment, ("1000.00", "2023-12-15"), ("-500.00", "2023-10-01"))
    reach("2024-03-01")
    approve(send(draft(fund, "4000.00")), (0, "3600.00"))
    make.pay_all()
    reach("2024-06-20")
    extend_period(
        fund.earning_period_id, claims_close_on=date(2024, 9, 2), reason="Holidays.", by=make.vendor(), at=clock.now()
    )


def printed(api: Api, fund: Fund) -> dict[str, bytes]:
    found = {}
    for form in FORMATS:
        answer = api.get(f"funds/{fund.pk}/statement/", format=form, to=YEAR_END, known_at=KNOWN_AT)
        assert answer.status == 200, answer
        found[form] = answer.content
    return found


def test_a_statement_printed_in_january_is_the_same_in_june_byte_by_byte() -> None:
    fund = begun()
    api = api_of(make.marketer_of(fund.partner))
    january = printed(api, fund)
    half_a_year_later(fund)
    june = printed(api_of(make.marketer_of(fund.partner)), fund)
    for form in FORMATS:
        assert hashlib.sha256(january[form]).hexdigest() == hashlib.sha256(june[form]).hexdigest(), form
    now = api.get(f"funds/{fund.pk}/statement/", to=YEAR_END)
    assert now.content != june["json"], "nothing was corrected, so this test proves nothing"
    assert (now["closing"]["earned"], now["clocks"]["claim"]) == ("10203.55", ["2024-02-15", "2024-09-02"])
    assert differences() == []


def test_the_statement_of_january_says_what_was_known() -> None:
    fund = begun()
    api = api_of(make.marketer_of(fund.partner))
    half_a_year_later(fund)
    said = api.get(f"funds/{fund.pk}/statement/", to=YEAR_END, known_at=KNOWN_AT)
    assert (said["from"], said["to"], said["known_at"]) == (None, YEAR_END, KNOWN_AT)
    assert (said["closing"]["earned"], said["closing"]["available"]) == ("10003.55", "10003.55")
    assert said["clocks"]["claim"] == ["2024-02-15", "2024-08-14"]
    assert [(line["text"], line["change"], line["available"]) for line in said["movements"]] == [
        ("Earned", "10000.00", "10000.00"),
        ("Earned", "3.55", "10003.55"),
    ]
    last = api.get(f"funds/{fund.pk}/entries/", known_at=KNOWN_AT)["results"][-1]
    assert said["head"] == {"number": 2, "entry": last["id"], "hash": last["hash"]}


def test_a_statement_of_some_days_begins_with_what_was_there_and_adds_up() -> None:
    fund = begun()
    half_a_year_later(fund)
    reach("2024-09-03")
    fund = fund_of(fund.enrollment)
    now = clock.now()
    spring = statement_of(fund, first=date(2024, 3, 1), last=date(2024, 6, 30), known_at=now)
    opening, closing = (balance_as_of(fund, as_of=day) for day in (date(2024, 2, 29), date(2024, 6, 30)))
    assert spring.opening == {name: getattr(opening, f"{name}_minor") for name in FIGURES}
    assert spring.closing == {name: getattr(closing, f"{name}_minor") for name in FIGURES}
    assert [line.entry.kind for line in spring.lines] == ["hold", "approval", "release", "payment"]
    assert spring.lines[-1].available_minor == closing.available_minor == 660_355
    whole = statement_of(fund, first=None, last=date(2024, 9, 3), known_at=now)
    assert whole.closing == {name: getattr(fund, f"{name}_minor") for name in FIGURES}
    assert (whole.closing["paid"], whole.closing["expired"], whole.closing["available"]) == (360_000, 660_355, 0)
    assert whole.head is not None
    assert whole.head.number == Entry.objects.filter(fund=fund).count()
    assert bytes(whole.head.hash) == bytes(Fund.objects.get(id=fund.pk).head or b"")


def test_the_files_hold_the_same_figures_as_the_page_and_the_sum_of_the_identity() -> None:
    fund = begun()
    half_a_year_later(fund)
    made = statement_of(fund, first=None, last=date(2024, 6, 20), known_at=clock.now())
    sheet = statements.as_csv(made).decode()
    identity = (
        "Earned 10,203.55 + adjustments 0.00 = available 6,603.55 + reserved 0.00 + in review 0.00 + approved 0.00 + "
        "paid 3,600.00 + expired 0.00 + converted 0.00"
    )
    assert identity in sheet
    assert "-200.00" not in sheet.split("Closing")[0].split("number,effective_on")[0]
    assert "Clawed" not in sheet
    assert ",available,program,200.00,,200.00," in sheet, "amounts are plain decimals, out is not negative"
    pages = pypdf.PdfReader(io.BytesIO(statements.as_pdf(made))).pages
    words = " ".join(" ".join(page.extract_text() for page in pages).split())
    for wanted in (
        "Earned 10,203.55",
        "3,600.00",
        "Taken back by the vendor",
        "As known at",
        "20 Jun 2024",
        "number 8",
    ):
        assert wanted in words, wanted


def test_texts_of_people_run_in_no_spreadsheet() -> None:
    begin()
    partner = make.make_partner("=HYPERLINK(1)")
    enrollment = make.make_enrollment(make.make_location(partner, name="+1 office"))
    deliver(enrollment, ("25000.00", "2023-08-15"))
    made = statement_of(fund_of(enrollment), first=None, last=date(2023, 12, 31), known_at=clock.now())
    cells = [cell for row in statements.csv_rows(made) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_days_in_the_wrong_order_and_instants_to_come_are_refused() -> None:
    fund = begun()
    api = api_of(make.marketer_of(fund.partner))
    path = f"funds/{fund.pk}/statement/"
    late = (clock.now() + timedelta(microseconds=1)).isoformat().replace("+00:00", "Z")
    assert api.get(path, **{"from": "2024-01-02", "to": "2024-01-01"}).fields == {"from": "invalid"}
    assert api.get(path, known_at=late).fields == {"known_at": "in_the_future"}
    assert api.get(path, as_of="2024-01-01", to="2024-01-01").fields == {"as_of": "invalid"}
    assert api.get(path, format="xml", to="31.12.2023").fields == {"format": "invalid", "to": "invalid"}
    before = (fund.created_at - instant("2024-01-01").resolution).isoformat().replace("+00:00", "Z")
    assert api.get(path, known_at=before).status == 404, "the fund did not exist then"
    assert api_of(make.marketer_of(make.make_partner())).get(path).status == 404
