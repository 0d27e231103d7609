"""The sample report: the vendor's columns, for who is enrolled here, and the same for the same seed."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from coop import jobs
from coop.lib import clock
from coop.story.sample import REPORT
from funds.models import Import, StagedLine
from tests.factories import make_enrollment, make_location, make_partner, make_person, set_clock, vendor

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2023, 10, 9, 12, tzinfo=UTC)


def report(**options: object) -> str:
    out = io.StringIO()
    call_command("sample_report", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def places() -> None:
    set_clock(OCTOBER)
    make_enrollment(make_location(make_partner("Halden Cloud", country="DE"), name="Kiel"))
    make_enrollment(make_location(make_partner("Cedar Cloud"), name="Austin"))


def test_a_report_has_the_vendors_columns_and_as_many_lines_as_were_asked_for(places: None) -> None:
    header, *rows = csv.reader(io.StringIO(report(lines=101)))
    assert header == list(REPORT)
    assert len(rows) == 101
    assert all(len(row) == len(header) for row in rows)
    assert len({row[0] for row in rows}) == 101


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_lines(places: None) -> None:
    assert report(lines=60, seed=4) == report(lines=60, seed=4)
    ids = [{row[0] for row in csv.reader(io.StringIO(report(lines=60, seed=seed)))} for seed in (4, 5)]
    assert ids[0] & ids[1] == {"earningId"}


@pytest.mark.parametrize("form", ["partner_center", "incentives"])
def test_an_import_takes_all_but_the_lines_that_are_bad_on_purpose(places: None, form: str) -> None:
    text = report(lines=3_000, form=form)
    delivery = import_of(text)
    assert (delivery.format, delivery.status) == (form, "ready")
    assert (delivery.new, delivery.rejected) == (2_998, 2)
    assert set(
        StagedLine.objects.filter(import_id=delivery.pk, outcome="rejected").values_list("line_no", flat=True)
    ) == {
        851,
        2_551,
    }
    currencies = set(StagedLine.objects.filter(import_id=delivery.pk).values_list("currency", flat=True))
    assert currencies == ({"USD", "EUR"} if form == "partner_center" else {"USD"})


def import_of(text: str) -> Import:
    client = Client()
    client.force_login(vendor("finance"))
    assert client.post(reverse("imports"), {"file": SimpleUploadedFile("r.csv", text.encode())}).status_code == 302
    jobs.check_imports(clock.now())
    return Import.objects.get()


def test_where_nobody_earns_the_command_says_so() -> None:
    set_clock(OCTOBER)
    with pytest.raises(CommandError, match="No location is enrolled"):
        report(lines=5)
    with pytest.raises(CommandError, match="1 to 10,000,000"):
        report(lines=0)


def test_a_sandbox_offers_the_same_report_on_the_page_of_imports(places: None) -> None:
    client = Client()
    client.force_login(vendor("finance"))
    assert reverse("sample-report") in client.get(reverse("imports")).content.decode()
    rows = b"".join(client.get(reverse("sample-report")).streaming_content).decode().splitlines()
    assert len(rows) == 50_001
    assert rows[:1] + rows[1:101] == report(lines=100).splitlines()
    client.force_login(make_person(make_partner()))
    assert client.get(reverse("sample-report")).status_code == 403
