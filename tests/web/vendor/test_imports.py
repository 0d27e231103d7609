"""The pages of imports: a file taken in, checked by the worker's job, looked at, committed or discarded."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from coop import jobs
from coop.lib import clock
from funds.files import open_sheet
from funds.models import Earning, Fund, Import
from funds.web.imports import TEMPLATES
from tests.factories import EARNING, make_enrollment, make_fund, make_location, make_partner, make_person, set_clock
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

HEADER = "external_id,location,program,earned_on,amount,currency\n"


def upload(client: Client, text: str, name: str = "earnings.csv") -> Import | None:
    """Give a file to the page; the import it made, if it did."""
    response = client.post(reverse("imports"), {"file": SimpleUploadedFile(name, text.encode())})
    return Import.objects.first() if response.status_code == 302 else None


@pytest.fixture
def location() -> str:
    set_clock(EARNING)
    return make_enrollment(make_location(make_partner("Halden Cloud"), name="Oslo")).location.external_id


def line(location: str, number: int, amount: str = "25000.00", day: str = "2023-08-15") -> str:
    return f"E{number},{location},mci-csp-reseller,{day},{amount},USD\n"


def checked(client: Client, text: str) -> Import:
    delivery = upload(client, text)
    assert delivery is not None
    jobs.check_imports(clock.now())
    delivery.refresh_from_db()
    return delivery


def test_a_file_waits_is_checked_committed_and_leads_to_its_funds(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = upload(client, HEADER + line(location, 1) + line(location, 2, "8.88") + line(location, 3, "1.234"))
    assert delivery is not None
    url = reverse("import", args=[delivery.pk])
    waiting = get_within_bound(client, url)
    assert "Checking every line" in words(waiting)
    assert 'hx-trigger="every 2s"' in waiting.content.decode()

    jobs.check_imports(clock.now())
    page = words(get_within_bound(client, url))
    for said in (
        "Commit 2 lines (+10,003.55 USD co-op)",
        "Halden Cloud Oslo",
        "Available after",
        "1.234 has more decimals than USD has",
        "Rejected 1",
    ):
        assert said in page, said
    assert Fund.objects.count() == 0

    delivery.refresh_from_db()
    client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision})
    fund = Fund.objects.get()
    assert fund.earned_minor == 1_000_355
    done = get_within_bound(client, url)
    assert "2 lines committed" in words(done)
    assert reverse("fund", args=[fund.pk]) in done.content.decode()


def test_the_same_file_again_would_change_nothing(enter: Enter, location: str) -> None:
    client, text = enter("finance"), HEADER + line(location, 1)
    first = checked(client, text)
    client.post(reverse("import-commit", args=[first.pk]))
    second = checked(client, text)
    page = words(client.get(reverse("import", args=[second.pk])))
    assert "Nothing would change" in page
    assert "Commit" not in page.replace("Look and commit", "").replace("to be committed", "")


def test_a_file_that_is_no_table_is_refused_at_its_field(enter: Enter) -> None:
    client = enter("finance")
    for text, said in (("", "The file is empty"), ("a,b\n1,2\n", "The column earningId or external_id is missing")):
        response = client.post(reverse("imports"), {"file": SimpleUploadedFile("x.csv", text.encode())})
        assert response.status_code == 400
        assert said in words(response)
    assert "Choose the file to import" in words(client.post(reverse("imports"), {}))
    assert Import.objects.count() == 0


def test_a_file_that_breaks_in_the_middle_says_where_and_what_to_do(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1) + 'E2,"broken\n')
    page = words(client.get(reverse("import", args=[delivery.pk])))
    assert delivery.status == "failed"
    assert "This file could not be read" in page
    assert "Check the quotes there" in page
    assert "Mend the file and upload it once more" in page


def test_the_rejected_lines_come_back_with_reasons_and_without_formulas(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + '=HYPERLINK("x"),nowhere,mci-csp-reseller,2023-08-15,1.00,USD\n')
    text = client.get(reverse("import-errors", args=[delivery.pk])).content.decode()
    assert text.startswith("line,column,reason,external_id,location")
    assert "There is no location" in text
    assert "'=HYPERLINK" in text


def test_rejected_lines_that_were_mended_come_in_by_their_own_file(enter: Enter, location: str) -> None:
    client = enter("finance")
    first = checked(client, HEADER + line(location, 1) + line("nowhere", 2, "-25.00"))
    client.post(reverse("import-commit", args=[first.pk]))
    text = client.get(reverse("import-errors", args=[first.pk])).content.decode()
    assert "'-25.00" in text
    second = checked(client, text.replace("nowhere", location))
    client.post(reverse("import-commit", args=[second.pk]))
    assert Fund.objects.get().earned_minor == 1_000_000 - 1_000


def test_a_discarded_import_posts_nothing_and_says_so(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1))
    client.post(reverse("import-discard", args=[delivery.pk]), {"revision": delivery.revision})
    assert "This import was discarded" in words(client.get(reverse("import", args=[delivery.pk])))
    assert Earning.objects.count() == 0


def test_a_commit_from_an_old_page_is_refused_and_explained(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1))
    response = client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision - 1})
    assert response.status_code == 412
    assert "somebody saved it in between" in words(response)


def test_both_templates_can_be_read_back(enter: Enter) -> None:
    client = enter("finance")
    for form in TEMPLATES:
        data = client.get(reverse("import-template", args=[form])).content
        assert open_sheet(io.BytesIO(data)).form == form
    assert client.get(reverse("import-template", args=["other"])).status_code == 404


@pytest.mark.parametrize("who", ["program", "auditor"])
def test_readers_see_imports_but_import_nothing(enter: Enter, location: str, who: str) -> None:
    delivery = checked(enter("finance"), HEADER + line(location, 1))
    client = enter(who)
    assert "Files are imported by people of finance" in words(client.get(reverse("imports")))
    page = words(client.get(reverse("import", args=[delivery.pk])))
    assert "Commit 1 line" not in page
    assert "Discard" not in page
    assert client.post(reverse("import-commit", args=[delivery.pk])).status_code == 403
    assert client.post(reverse("imports"), {"file": SimpleUploadedFile("x.csv", b"x")}).status_code == 403


def test_nobody_else_sees_imports(enter: Enter) -> None:
    make_fund()
    delivery = Import.objects.get()
    for person in ("manager", make_person(make_partner())):
        client = enter(person)
        assert client.get(reverse("imports")).status_code == 403
        assert client.get(reverse("import", args=[delivery.pk])).status_code == 403
        assert client.get(reverse("import-errors", args=[delivery.pk])).status_code == 403


def test_programs_stand_with_their_names(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1))
    page = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "MCI CSP indirect reseller, FY24-H1" in page
    assert "mci-csp-reseller" not in page
