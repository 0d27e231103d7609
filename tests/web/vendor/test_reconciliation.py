"""The pages of reconciliation: a report is uploaded, what differs is listed with a way to our record, all of it to download."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from funds.models import Payment, Reconciliation
from tests import factories
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db

HEADER = "payment_id,partner_id,currency,amount,sent_on,status\n"


@pytest.fixture
def payment() -> Payment:
    """3,217.45 USD were sent on 4 March 2024."""
    factories.make_approved_claim(factories.make_fund(), "3217.45")
    factories.pay_all()
    return Payment.objects.select_related("partner").get()


def compare(client: Client, text: str, kind: str = "paid", **more: str) -> Reconciliation | None:
    file = SimpleUploadedFile("bank.csv", text.encode())
    response = client.post(reverse("reconciliations"), {"kind": kind, "file": file, **more})
    return Reconciliation.objects.first() if response.status_code == 302 else None


def row(payment: Payment, amount: str) -> str:
    return f"{payment.pk},{payment.partner.external_id},USD,{amount},2024-03-04,sent\n"


def test_a_report_is_compared_and_each_difference_leads_to_our_record(enter: Enter, payment: Payment) -> None:
    client = enter("finance")
    made = compare(client, HEADER + row(payment, "3217.44") + "999999,P,USD,50.00,2024-03-04,sent\n")
    assert made is not None
    page = get_within_bound(client, reverse("reconciliation", args=[made.pk]))
    for said in (
        "2 to look at",
        "3,217.44 USD 3,217.45 USD The amounts differ.",
        "3,267.44 USD 3,217.45 USD -49.99 USD",
        "we know of no such payment that was sent",
        "All programs Not said 4 Mar 2024 4 Mar 2024",
    ):
        assert said in words(page), said
    assert reverse("payment", args=[payment.pk]) in page.content.decode()
    some = words(client.get(reverse("reconciliation", args=[made.pk]), {"outcome": "missing_here"}))
    assert "Showing only: Missing here" in some
    assert "The amounts differ" not in some
    text = b"".join(client.get(reverse("reconciliation-lines", args=[made.pk])).streaming_content).decode()
    assert f"different,2,{payment.pk},USD,3217.44,3217.45,0.01,The amounts differ.,payment {payment.pk}" in text
    assert "2 to look at" in words(get_within_bound(client, reverse("reconciliations")))


def test_when_everything_agrees_the_page_says_so(enter: Enter, payment: Payment) -> None:
    client = enter("finance")
    made = compare(client, HEADER + row(payment, "3217.45"), known_on="2024-03-04")
    assert made is not None
    page = words(client.get(reverse("reconciliation", args=[made.pk])))
    assert "Everything agrees" in page
    assert "3,217.45 USD 3,217.45 USD None" in page


def test_what_is_wrong_stands_at_its_field(enter: Enter, payment: Payment) -> None:
    client = enter("finance")
    for text, more, said in (
        ("a,b\n1,2\n", {}, "The column payment_id or bank_reference is missing"),
        (HEADER, {}, "no lines"),
        (HEADER + row(payment, "1.00"), {"known_on": "2024-03-05"}, "has not come yet"),
    ):
        file = SimpleUploadedFile("bank.csv", text.encode())
        response = client.post(reverse("reconciliations"), {"kind": "paid", "file": file, **more})
        assert response.status_code == 400
        assert said in words(response)
    assert "Choose the report" in words(client.post(reverse("reconciliations"), {"kind": "paid"}))
    assert Reconciliation.objects.count() == 0


def test_a_long_list_goes_on_behind_its_last_line(enter: Enter, payment: Payment) -> None:
    client = enter("finance")
    made = compare(client, HEADER + "".join(f"{number},P,USD,50.00,2024-03-04,sent\n" for number in range(900, 970)))
    assert made is not None
    first = get_within_bound(client, reverse("reconciliation", args=[made.pk]))
    assert "Older" in words(first)
    after = made.lines.order_by("id")[49].pk
    second = words(get_within_bound(client, f"{reverse('reconciliation', args=[made.pk])}?after={after}"))
    assert "950" in second
    assert " 901 " not in second


def test_others_read_them_or_do_not_know_of_them(enter: Enter, payment: Payment) -> None:
    made = compare(enter("finance"), HEADER + row(payment, "3217.45"))
    assert made is not None
    auditor = enter("auditor")
    assert "compared by people of finance" in words(auditor.get(reverse("reconciliations")))
    assert auditor.get(reverse("reconciliation", args=[made.pk])).status_code == 200
    assert compare(auditor, HEADER + row(payment, "3217.45")) is None
    for person in ("manager", factories.make_person(factories.make_partner())):
        client = enter(person)
        for url in (reverse("reconciliations"), reverse("reconciliation", args=[made.pk])):
            assert client.get(url).status_code == 403


def test_an_earning_leads_to_all_versions_of_our_line(enter: Enter) -> None:
    fund = factories.make_fund()
    client = enter("finance")
    row = f"X-1,{fund.location.external_id},mci-csp-reseller,2023-08-15,1.00,USD"
    made = compare(client, f"external_id,location,program,earned_on,amount,currency\n{row}\n", "earned")
    assert made is not None
    line = made.lines.filter(outcome="missing_there").order_by("id")[0]
    page = client.get(reverse("reconciliation", args=[made.pk])).content.decode()
    url = f"{reverse('fund-line', args=[fund.pk])}?line={line.key}"
    assert url in page
    assert client.get(url).status_code == 200
