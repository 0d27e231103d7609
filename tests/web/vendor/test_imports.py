"""The pages of imports: a file taken in, its columns explained, checked, looked at, committed, reversed or discarded."""

import gzip

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from coop import jobs
from coop.lib import clock
from funds.files import open_sheet
from funds.models import Earning, Fund, Import, ImportProgress
from funds.web.imports import TEMPLATES
from tests.factories import EARNING, make_enrollment, make_fund, make_location, make_partner, make_person, set_clock
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

HEADER = "external_id,location,program,earned_on,amount,currency\n"


def upload(client: Client, content: str | bytes, name: str = "earnings.csv") -> Import | None:
    """Give a file to the page; the import it made, if it did."""
    data = content.encode() if isinstance(content, str) else content
    response = client.post(reverse("imports"), {"file": SimpleUploadedFile(name, data)})
    return Import.objects.first() if response.status_code == 302 else None


@pytest.fixture
def location() -> str:
    set_clock(EARNING)
    return make_enrollment(make_location(make_partner("Halden Cloud"), name="Oslo")).location.external_id


def line(location: str, number: int, amount: str = "25000.00", day: str = "2023-08-15") -> str:
    return f"E{number},{location},mci-csp-reseller,{day},{amount},USD\n"


def checked(client: Client, content: str | bytes) -> Import:
    delivery = upload(client, content)
    assert delivery is not None
    jobs.check_imports(clock.now())
    delivery.refresh_from_db()
    return delivery


def committed(client: Client, content: str) -> Import:
    delivery = checked(client, content)
    client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision})
    delivery.refresh_from_db()
    assert delivery.status == "committed"
    return delivery


def download(client: Client, url: str) -> str:
    return b"".join(client.get(url).streaming_content).decode()


# --- From the file to the funds -----------------------------------------------------------------------------------------


def test_a_file_waits_is_checked_committed_and_leads_to_its_funds(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = upload(client, HEADER + line(location, 1) + line(location, 2, "8.88") + line(location, 3, "1.234"))
    assert delivery is not None
    url = reverse("import", args=[delivery.pk])
    waiting = get_within_bound(client, url)
    assert "Checking every line Waits for a worker" in words(waiting)
    assert 'hx-trigger="every 1s"' in waiting.content.decode()

    jobs.check_imports(clock.now())
    page = words(get_within_bound(client, url))
    for said in (
        "Commit 2 lines (+25,008.88 USD)",
        "Halden Cloud Oslo",
        "1 fund reaches the threshold",
        "Reaches the threshold of 10,000.00 USD",
        "0.00 USD +10,003.55 USD 10,003.55 USD",
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
    assert "0.00 USD +10,003.55 USD 10,003.55 USD" in words(done)
    assert reverse("fund", args=[fund.pk]) in done.content.decode()
    assert "Committed 1 Dec 2023, 12:00 UTC by" in words(get_within_bound(client, reverse("imports")))


def test_a_worker_tells_how_far_it_is(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = upload(client, HEADER + line(location, 1))
    assert delivery is not None
    ImportProgress.objects.create(import_id=delivery.pk, step="Reading", percent=37, at=clock.now())
    page = client.get(reverse("import", args=[delivery.pk]))
    assert "Checking every line Reading, 37 %" in words(page)
    assert 'value="37" max="100"' in page.content.decode()
    assert "Discard" not in words(page)


def test_the_same_file_again_would_change_nothing(enter: Enter, location: str) -> None:
    client, text = enter("finance"), HEADER + line(location, 1)
    committed(client, text)
    second = checked(client, text)
    page = words(client.get(reverse("import", args=[second.pk])))
    assert "Nothing would change" in page
    assert "Every line of this file is known already" in page
    assert "Commit" not in page.replace("Look and commit", "").replace("to be committed", "").replace("Committing", "")


def test_a_corrected_line_is_shown_before_and_after(enter: Enter, location: str) -> None:
    client = enter("finance")
    committed(client, HEADER + line(location, 1))
    delivery = checked(client, HEADER + line(location, 1, "24000.00", "2023-08-16"))
    page = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "Commit 1 line (-1,000.00 USD)" in page
    assert "E1 Line 2 25,000.00 USD 15 Aug 2023 24,000.00 USD 16 Aug 2023 -400.00 USD" in page
    assert "1 fund falls below the threshold" in page
    assert "Falls below the threshold of 10,000.00 USD" in page
    client.post(reverse("import-commit", args=[delivery.pk]))
    assert Fund.objects.get().earned_minor == 960_000
    after = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "E1 Line 2 25,000.00 USD 15 Aug 2023 24,000.00 USD 16 Aug 2023 -400.00 USD" in after


def test_funds_can_be_looked_at_by_what_stands_out_of_them(enter: Enter, location: str) -> None:
    fund = make_fund()  # FY24 H1 is tested, the clock stands in March 2024
    client = enter("finance")
    text = HEADER + line(fund.location.external_id, 7, "-30000.00") + line(location, 8, "10.00", "2024-02-01")
    delivery = checked(client, text)
    url = reverse("import", args=[delivery.pk])
    page = words(get_within_bound(client, url))
    assert "1 fund of periods whose threshold is tested already" in page
    assert "1 fund below zero after it" in page
    assert "2 of 2 funds" in page
    below = words(get_within_bound(client, f"{url}?look=below"))
    assert "Below zero: nobody can claim from it" in below
    assert "1 of 1 fund" in below
    assert "10,003.55 USD -12,000.00 USD -1,996.45 USD" in below
    new = words(get_within_bound(client, f"{url}?look=new"))
    assert "Halden Cloud Oslo" in new
    assert "Northwind" not in new
    assert words(client.get(f"{url}?look=nonsense&after=a~b")) == page


def test_many_funds_are_paged_by_the_largest_change(enter: Enter) -> None:
    set_clock(EARNING)
    partner = make_partner("Halden Cloud")
    places = [make_enrollment(make_location(partner, name=f"Site {n:02}")).location.external_id for n in range(30)]
    rows = "".join(line(place, number, f"{100 * (number + 1)}.00") for number, place in enumerate(places))
    client = enter("finance")
    delivery = checked(client, HEADER + rows)
    first = get_within_bound(client, reverse("import", args=[delivery.pk]))
    assert "25 of 30 funds" in words(first)
    assert "Site 29" in words(first)
    assert "Site 04" not in words(first)
    (following,) = {part.partition('"')[0] for part in first.content.decode().split('href="') if "after=" in part}
    rest = words(client.get(following.replace("&amp;", "&").partition("#")[0]))
    assert "Site 04" in rest
    assert "Site 29" not in rest


# --- What is wrong with a file ------------------------------------------------------------------------------------------


def test_a_file_that_is_no_table_is_refused_at_its_field(enter: Enter) -> None:
    client = enter("finance")
    for content, said in ((b"", "The file is empty"), (b"%PDF-1.7 no table", "This is a PDF")):
        response = client.post(reverse("imports"), {"file": SimpleUploadedFile("x.csv", content)})
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
    text = download(client, reverse("import-errors", args=[delivery.pk]))
    assert text.startswith("line,column,reason,external_id,location")
    assert "There is no location" in text
    assert "'=HYPERLINK" in text


def test_rejected_lines_that_were_mended_come_in_by_their_own_file(enter: Enter, location: str) -> None:
    client = enter("finance")
    first = committed(client, HEADER + line(location, 1) + line("nowhere", 2, "-25.00"))
    text = download(client, reverse("import-errors", args=[first.pk]))
    assert "'-25.00" in text
    committed(client, text.replace("nowhere", location))
    assert Fund.objects.get().earned_minor == 1_000_000 - 1_000


def test_a_packed_file_is_taken_like_a_plain_one(enter: Enter, location: str) -> None:
    delivery = checked(enter("finance"), gzip.compress((HEADER + line(location, 1)).encode()))
    assert (delivery.status, delivery.new) == ("ready", 1)


# --- Columns that have to be explained ----------------------------------------------------------------------------------

OTHER_NAMES = "Ref,Site,Scheme,When,Sum,Money,Comment\n"
MEANING = ("external_id", "location_code", "program_code", "earned_text", "amount_text", "currency", "")


def meaning(*fields: str) -> dict[str, str]:
    return {f"column-{number}": field for number, field in enumerate(fields)}


def test_columns_in_other_words_are_explained_once_and_remembered(enter: Enter, location: str) -> None:
    client = enter("finance")
    text = OTHER_NAMES + line(location, 1).replace("\n", ",first\n")
    delivery = upload(client, text)
    assert delivery is not None
    url = reverse("import-map", args=[delivery.pk])
    assert client.post(reverse("imports"), {"file": SimpleUploadedFile("x.csv", text.encode())}).url.endswith(
        "/columns/"
    )
    page = words(get_within_bound(client, url))
    assert f"Site {location}" in page
    assert "Sum 25000.00" in page
    assert "Columns to be explained" in words(client.get(reverse("imports")))
    assert "Say what the columns are" in words(client.get(reverse("import", args=[delivery.pk])))

    assert client.post(url, meaning(*MEANING)).status_code == 302
    jobs.check_imports(clock.now())
    delivery.refresh_from_db()
    assert (delivery.status, delivery.new) == ("ready", 1)
    assert "Columns (done)" in words(client.get(reverse("import", args=[delivery.pk])))
    assert client.get(url).status_code == 404
    again = checked(client, text.replace("E1", "E2"))
    assert (again.status, again.new) == ("ready", 1)


def test_what_is_wrong_with_the_columns_is_said_at_once(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = upload(client, OTHER_NAMES + line(location, 1).replace("\n", ",first\n"))
    assert delivery is not None
    url = reverse("import-map", args=[delivery.pk])
    response = client.post(url, meaning("external_id", "external_id", "program_code", "earned_text"))
    assert response.status_code == 400
    page = words(response)
    assert "The line's id is filled by the column Ref already" in page
    assert "Say which column holds: The location's id; The amount; The currency of the amount." in page
    client.post(reverse("import-discard", args=[delivery.pk]), {"revision": delivery.revision})
    delivery.refresh_from_db()
    assert delivery.status == "discarded"


# --- Discarding, reversing ----------------------------------------------------------------------------------------------


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


def test_a_commit_of_what_has_changed_shows_what_it_would_do_now(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1) + line(location, 2, "8.88"))
    committed(client, HEADER + line(location, 2, "8.88"))
    client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision})
    delivery.refresh_from_db()
    assert delivery.status == "ready"
    page = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "Look at it once more" in page
    assert "Nothing was posted" in page
    assert "Commit 1 line (+25,000.00 USD)" in page
    client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision})
    assert Fund.objects.get().earned_minor == 1_000_355


def test_a_committed_import_is_reversed_with_a_reason_on_a_page_that_shows_what_it_does(
    enter: Enter, location: str
) -> None:
    client = enter("finance")
    delivery = committed(client, HEADER + line(location, 1) + line(location, 2, "8.88"))
    url = reverse("import-reverse", args=[delivery.pk])
    page = words(get_within_bound(client, url))
    assert "2 lines will be taken back" in page
    assert "10,003.55 USD -10,003.55 USD 0.00 USD" in page
    refused = client.post(url, {"reason": " ", "revision": delivery.revision})
    assert refused.status_code == 400
    assert "Say why the import is reversed" in words(refused)
    client.post(url, {"reason": "Sent for the wrong half", "revision": delivery.revision})
    fund = Fund.objects.get()
    assert (fund.earned_minor, fund.available_minor) == (0, 0)
    after = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "The import is reversed" in after
    assert "reversed it: Sent for the wrong half" in after
    assert "Posted to the funds, and taken back" in after
    assert client.get(url).status_code == 302
    assert "Reversed 1 Dec 2023, 12:00 UTC by" in words(client.get(reverse("imports")))


def test_an_import_that_a_later_one_corrects_says_why_it_cannot_be_reversed(enter: Enter, location: str) -> None:
    client = enter("finance")
    first = committed(client, HEADER + line(location, 1))
    committed(client, HEADER + line(location, 1, "24000.00"))
    url = reverse("import-reverse", args=[first.pk])
    page = words(client.get(url))
    assert "This import cannot be reversed" in page
    assert "Reverse that one first" in page
    assert "Why is it reversed" not in page
    assert client.post(url, {"reason": "x"}).status_code == 400
    assert Fund.objects.get().earned_minor == 960_000


def test_a_large_import_is_committed_and_reversed_by_a_worker(enter: Enter, location: str, settings) -> None:
    settings.IMPORT_LINES_AT_ONCE = 1
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1) + line(location, 2, "8.88"))
    url = reverse("import", args=[delivery.pk])
    client.post(reverse("import-commit", args=[delivery.pk]), {"revision": delivery.revision})
    page = words(client.get(url))
    assert "Posting every line" in page
    assert "Being committed" in page
    assert "Discard" not in page
    jobs.commit_imports(clock.now())
    assert Fund.objects.get().earned_minor == 1_000_355
    delivery.refresh_from_db()
    client.post(reverse("import-reverse", args=[delivery.pk]), {"reason": "Twice", "revision": delivery.revision})
    assert "Taking every line back" in words(client.get(url))
    jobs.commit_imports(clock.now())
    assert Fund.objects.get().earned_minor == 0
    assert "reversed it: Twice" in words(client.get(url))


# --- Who may what -------------------------------------------------------------------------------------------------------


def test_both_templates_can_be_read_back(enter: Enter) -> None:
    client = enter("finance")
    for form in TEMPLATES:
        text = download(client, reverse("import-template", args=[form]))
        assert open_sheet(SimpleUploadedFile("t.csv", text.encode())).form == form
    assert client.get(reverse("import-template", args=["other"])).status_code == 404


@pytest.mark.parametrize("who", ["program", "auditor"])
def test_readers_see_imports_but_import_nothing(enter: Enter, location: str, who: str) -> None:
    finance = enter("finance")
    done = committed(finance, HEADER + line(location, 9))
    delivery = checked(finance, HEADER + line(location, 1))
    client = enter(who)
    assert "Files are imported by people of finance" in words(client.get(reverse("imports")))
    page = words(client.get(reverse("import", args=[delivery.pk])))
    assert "Commit 1 line" not in page
    assert "Discard" not in page
    assert "Reverse" not in words(client.get(reverse("import", args=[done.pk])))
    assert client.post(reverse("import-commit", args=[delivery.pk])).status_code == 403
    assert client.get(reverse("import-reverse", args=[done.pk])).status_code == 403
    assert client.post(reverse("imports"), {"file": SimpleUploadedFile("x.csv", b"x")}).status_code == 403


def test_nobody_else_sees_imports(enter: Enter) -> None:
    make_fund()
    delivery = Import.objects.get()
    for person in ("manager", make_person(make_partner())):
        client = enter(person)
        assert client.get(reverse("imports")).status_code == 403
        for name in ("import", "import-errors", "import-map", "import-reverse"):
            assert client.get(reverse(name, args=[delivery.pk])).status_code == 403, name


def test_programs_stand_with_their_names(enter: Enter, location: str) -> None:
    client = enter("finance")
    delivery = checked(client, HEADER + line(location, 1))
    page = words(get_within_bound(client, reverse("import", args=[delivery.pk])))
    assert "MCI CSP indirect reseller, FY24-H1" in page
    assert "mci-csp-reseller" not in page
