"""A partner looks into the past of a fund: as it was known, its statement, what changed, and what is behind a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from coop.lib import clock
from coop.people import PASSWORD
from funds.models import Fund
from partners.models import Person
from tests import factories as make
from tests.browser.conftest import WIDTHS, Visitor
from tests.scenarios.world import approve, begin, deliver, draft, fund_of, reach, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lived() -> tuple[Fund, Person, Person]:
    """A fund with earnings, a correction of a line, a claim that was paid, and an expiry; its marketer; finance."""
    begin()
    partner = make.make_partner("Northwind Traders")
    enrollment = make.make_enrollment(make.make_location(partner))
    deliver(enrollment, ("25000.00", "2023-08-15"), ("8.88", "2023-09-30"))
    make.earn(enrollment, "5000.00", on="2023-10-01", external_id="E-MOVED")
    reach("2024-01-10")
    make.earn(enrollment, "4000.00", on="2023-10-01", external_id="E-MOVED")
    reach("2024-03-01")
    person = make.make_person(partner, password=PASSWORD)
    approve(send(draft(fund_of(enrollment), "4000.00")), (0, "3600.00"))
    make.pay_all()
    reach("2024-08-20")
    finance = make.make_person(None, "finance", password=PASSWORD)
    return fund_of(enrollment), person, finance


def pages(fund: Fund) -> Iterator[tuple[str, str]]:
    here = f"/funds/{fund.pk}/"
    yield "fund now", here
    yield "fund then", f"{here}?as_of=2023-12-31&known_at=2024-01-09"
    yield "fund before its first entry", f"{here}?as_of=2023-07-04"
    yield "statement", f"{here}statement/?from=2024-01-01"
    yield "changes asked", f"{here}changes/"
    yield "changes", f"{here}changes/?since=2024-01-09&until=2024-03-01"
    yield "entry", f"{here}entries/3/"
    yield "line", f"{here}earnings/line/?line=E-MOVED"
    yield "all changes", "/funds/changes/?since=2024-01-09"
    yield "ledger", "/finance/ledger/?known_at=2024-03-01"
    yield "funds then", "/funds/?as_of=2023-12-31&known_at=2024-01-09"


def test_pages_of_the_past_read_well_on_every_screen(
    visit: Callable[..., Visitor], lived: tuple[Fund, Person, Person]
) -> None:
    fund, person, finance = lived
    for width in WIDTHS:
        for who in (person, finance):
            visitor = visit(width=width)
            visitor.sign_in(who)
            for name, path in pages(fund):
                if name == "ledger" and who is person:
                    continue
                visitor.go(path)
                visitor.check(f"{name} of {who.role} at {width}")
    assert clock.now().date() == date(2024, 8, 20)


def test_somebody_asks_for_a_day_in_the_past_without_script(
    visit: Callable[..., Visitor], lived: tuple[Fund, Person, Person]
) -> None:
    fund, person, _ = lived
    visitor = visit(script=False)
    visitor.sign_in(person)
    visitor.go(f"/funds/{fund.pk}/")
    page = visitor.page
    page.get_by_text("Look at another day").click()
    page.get_by_label("Balance on").fill("2023-12-31")
    page.get_by_label("As known on").fill("2024-01-09")
    page.get_by_role("button", name="Show this balance").click()
    assert page.get_by_text("Balance on 31 Dec 2023 as known on 9 Jan 2024").is_visible()
    page.get_by_role("link", name="12,003.55").first.click()
    assert page.get_by_text("Balance on 31 Dec 2023 as known on 9 Jan 2024").is_visible()
    page.get_by_role("link", name="Back to today").click()
    assert page.get_by_text("This fund is closed").first.is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download statement").click()
    assert download.value.suggested_filename.endswith(".pdf")
