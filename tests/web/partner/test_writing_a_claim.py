"""Starting a claim, its hub and its tasks: what is saved, what is refused, and that no input is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from claims.models import Claim, Document
from claims.operations.drafting import add_line, change_line, update_claim
from claims.operations.review import Fix, return_claim
from claims.operations.sending import submit_claim
from coop.lib import clock
from partners.models import Person
from tests.factories import (
    DEADLINE,
    IN_USE,
    PDF,
    PNG,
    add_invoice,
    make_approved_plan,
    make_claim,
    make_draft,
    make_enrollment,
    make_fund,
    make_person,
    make_sent_claim,
    marketer_of,
    set_clock,
    vendor,
)
from tests.web.partner.conftest import page, text_of, upload

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]

INVOICE = {
    "kind": "invoice",
    "supplier": "Fabrikam Print",
    "invoice_number": "N-1",
    "invoiced_on": "2024-03-02",
    "amount": "4,200.00",
    "description": "",
}


def invoice(claim: Claim, **changes: object) -> dict[str, object]:
    return {**INVOICE, "revision": claim.revision, **changes}


# --- Starting ---------------------------------------------------------------------------------------------------------


def test_a_claim_starts_with_fund_and_activity(sign_in: SignIn) -> None:
    fund = make_fund()
    client = sign_in(marketer_of(fund.partner))
    said = page(client, "/claims/new/")
    assert "10,003.55 USD left to claim" in said
    assert "Market Development" in said
    assert "Call log (an example, not published by the vendor)" in said
    assert "At most 18,750.00 USD" in said
    response = client.post(
        f"/claims/new/?fund={fund.pk}",
        {"activity": "telemarketing", "activity_from": "2024-03-01", "country": "US", "title": "Calls"},
    )
    claim = Claim.objects.get()
    assert response["Location"] == f"/claims/{claim.pk}/"
    assert (claim.title, claim.activity.code, claim.activity_from) == ("Calls", "telemarketing", date(2024, 3, 1))


def test_a_start_without_activity_keeps_what_was_written(sign_in: SignIn) -> None:
    fund = make_fund()
    response = sign_in(marketer_of(fund.partner)).post(
        "/claims/new/", {"activity_from": "2024-03-01", "country": "US", "title": "My calls"}
    )
    assert response.status_code == 400
    assert "Choose the activity that you claim for" in text_of(response)
    assert 'value="My calls"' in response.content.decode()
    assert 'value="2024-03-01"' in response.content.decode()
    assert not Claim.objects.exists()


def test_with_two_funds_one_is_chosen_first(sign_in: SignIn) -> None:
    fund = make_fund()
    other = make_enrollment(fund.location, "mci-csp-direct")
    make_fund(enrollment=other)
    client = sign_in(marketer_of(fund.partner))
    assert "From which fund?" in page(client, "/claims/new/")
    assert "What did you do?" in page(client, f"/claims/new/?fund={fund.pk}")


def test_a_fund_that_opens_soon_can_be_prepared(sign_in: SignIn) -> None:
    fund = make_fund(now=IN_USE)
    assert "What did you do?" in page(sign_in(marketer_of(fund.partner)), "/claims/new/")


def test_without_a_fund_that_can_be_claimed_from_the_page_says_why(sign_in: SignIn) -> None:
    fund = make_fund()
    set_clock(DEADLINE)
    said = page(sign_in(marketer_of(fund.partner)), "/claims/new/")
    assert "No claim can be started now" in said


def test_the_vendor_starts_no_claims(sign_in: SignIn) -> None:
    make_fund()
    assert sign_in(vendor("manager")).get("/claims/new/").status_code == 403


# --- The hub ----------------------------------------------------------------------------------------------------------


def test_the_hub_says_how_far_each_task_is(sign_in: SignIn) -> None:
    fund = make_fund()
    draft = make_draft(fund)
    client = sign_in(draft.created_by)
    said = page(client, f"/claims/{draft.pk}/")
    assert "Have ready: each invoice as a file" in said
    assert "1 of 5 parts" in said
    assert "Send by 14 Aug 2024, 23:59:59 UTC in 163 days" in said
    add_invoice(draft, "12000.00", document=False)
    said = page(client, f"/claims/{draft.pk}/")
    assert "There is a problem" in said
    assert "More than there is 1,996.45 USD" in said
    complete = make_claim(fund, "100.00")
    said = page(client, f"/claims/{complete.pk}/")
    assert "5 of 5 parts" in said
    assert "Ready to send" in said


def test_a_returned_claim_leads_to_each_field_and_shows_the_note_there(sign_in: SignIn) -> None:
    fund = make_fund()
    claim = make_sent_claim(fund, "100.00")
    line = claim.lines.get()
    fixes = [
        Fix(f"lines.{line.pk}.invoiced_on", "The file says 3 March."),
        Fix("documents.call-log", "The log is empty."),
        Fix("metrics.calls", "Count the calls once more."),
    ]
    return_claim(claim.id, fixes=fixes, by=vendor("manager"), at=clock.now())
    client = sign_in(claim.created_by)
    content = client.get(f"/claims/{claim.pk}/").content.decode()
    assert f"/claims/{claim.pk}/lines/{line.pk}/#id_invoiced_on" in content
    assert f"/claims/{claim.pk}/proof/#proof-call-log" in content
    assert f"/claims/{claim.pk}/results/#id_calls" in content
    said = page(client, f"/claims/{claim.pk}/")
    assert "3 things to mend" in said
    assert "Mend and send by 28 Sep 2024, 23:59:59 UTC" in said
    assert "The reviewer wrote: The file says 3 March." in page(client, f"/claims/{claim.pk}/lines/{line.pk}/")
    assert "The reviewer wrote: The log is empty." in page(client, f"/claims/{claim.pk}/proof/")
    assert "The reviewer wrote: Count the calls once more." in page(client, f"/claims/{claim.pk}/results/")
    assert "Changed since" not in said
    assert "Fix 3 things" in said
    assert "Mend first what the reviewer asked for 3 to mend" in said
    client.post(f"/claims/{claim.pk}/proof/", {"file_call-log": upload("log.png", PNG)})
    said = page(client, f"/claims/{claim.pk}/")
    assert "Changed since" in said
    assert "Fix 2 things" in said


def test_the_hub_counts_what_the_plan_reserves_for_the_claim(sign_in: SignIn) -> None:
    fund = make_fund()  # 10,003.55 USD
    planned = make_approved_plan(fund, "10000.00").activities.get()
    draft = make_draft(fund, plan_activity_id=planned.pk)
    add_invoice(draft, "9000.00", document=False)
    said = page(sign_in(draft.created_by), f"/claims/{draft.pk}/")
    assert "In the fund for it 10,003.55 USD 10,000.00 USD of it is reserved by the plan" in said
    assert "Left in the fund after sending 1,003.55 USD" in said


def test_a_draft_after_its_deadline_says_that_it_cannot_be_sent(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    set_clock(DEADLINE)
    assert "The deadline has passed" in page(sign_in(draft.created_by), f"/claims/{draft.pk}/")


# --- About the activity ------------------------------------------------------------------------------------------------


def test_dates_outside_the_use_period_are_saved_and_said_at_the_field(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(
        f"/claims/{draft.pk}/about/",
        {
            "revision": draft.revision,
            "activity": "telemarketing",
            "activity_from": "2023-12-20",
            "activity_to": "2024-01-10",
            "country": "US",
        },
        follow=True,
    )
    said = text_of(response)
    assert "To fix before you can send" in said
    assert "first day 20 Dec 2023" in said
    draft.refresh_from_db()
    assert draft.activity_from == date(2023, 12, 20)


def test_a_day_that_cannot_be_read_keeps_its_words(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(
        f"/claims/{draft.pk}/about/",
        {"revision": draft.revision, "activity": "telemarketing", "activity_from": "soon", "country": "US"},
    )
    assert response.status_code == 400
    assert "This day cannot be read" in text_of(response)
    assert 'value="soon"' in response.content.decode()


def test_who_saves_on_an_older_reading_sees_both_values_and_loses_nothing(sign_in: SignIn) -> None:
    draft = make_draft(make_fund(), title="Old name")
    client = sign_in(draft.created_by)
    colleague = make_person(draft.partner, name="Ben Adler")
    update_claim(draft.pk, {"title": "Ben's name"}, by=colleague, at=clock.now())
    written = {
        "revision": draft.revision,
        "activity": "telemarketing",
        "activity_from": "2024-03-01",
        "activity_to": "2024-03-02",
        "country": "US",
        "title": "My name",
    }
    response = client.post(f"/claims/{draft.pk}/about/", written)
    said = text_of(response)
    assert response.status_code == 409
    assert "Ben Adler changed what the claim says" in said
    assert "Ben's name My name" in said
    draft.refresh_from_db()
    assert draft.title == "Ben's name"
    response = client.post(f"/claims/{draft.pk}/about/", {**written, "revision": draft.revision})
    draft.refresh_from_db()
    assert (response.status_code, draft.title) == (302, "My name")


# --- Lines -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["4200", "4200.00", "4,200.00"])
def test_an_amount_is_read_as_people_write_it(sign_in: SignIn, amount: str) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    response = client.post(f"/claims/{draft.pk}/lines/new/?kind=invoice", invoice(draft, amount=amount, file=upload()))
    assert response["Location"] == f"/claims/{draft.pk}/lines/?kind=invoice"
    line = draft.lines.get()
    assert (line.amount_minor, line.documents.get().filename) == (420_000, "invoice.pdf")
    assert "4,200.00" in page(client, f"/claims/{draft.pk}/lines/?kind=invoice")


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("4.200,00", "cannot be read as an amount. Write it like 4,200.00"),
        ("42,00", "cannot be read as an amount"),
        ("4 200", "cannot be read as an amount"),
        ("4200.001", "4200.001 has 3 decimals; USD has 2 decimals"),
        ("0", "Enter an amount above zero."),
        ("-5", "Enter an amount above zero."),
        ("", "Enter the amount"),
        ("99999999999999999999", "cannot be read as an amount"),
    ],
)
def test_an_amount_that_is_none_is_refused_with_what_to_do(sign_in: SignIn, amount: str, sentence: str) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(f"/claims/{draft.pk}/lines/new/", invoice(draft, amount=amount))
    assert response.status_code == 400
    assert sentence in text_of(response)
    assert 'value="Fabrikam Print"' in response.content.decode()
    assert not draft.lines.exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("invoice.exe", b"MZ", "Files ending in “.exe” are not accepted"),
        ("invoice.pdf", b"not a pdf", "its content is something else"),
        ("invoice.pdf", b"", "The file is empty"),
    ],
)
def test_a_file_that_is_refused_costs_nobody_their_words(
    sign_in: SignIn, name: str, content: bytes, sentence: str
) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(
        f"/claims/{draft.pk}/lines/new/", invoice(draft, file=upload(name, content))
    )
    said = text_of(response)
    assert response.status_code == 400
    assert sentence in said
    assert 'value="N-1"' in response.content.decode()
    assert f"Choose {name} once more" not in said
    assert not draft.lines.exists()
    assert not Document.objects.exists()


def test_a_wrong_file_is_told_together_with_a_wrong_amount(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    changes = {"amount": "12,5", "file": upload("invoice.exe", b"MZ")}
    said = text_of(sign_in(draft.created_by).post(f"/claims/{draft.pk}/lines/new/", invoice(draft, **changes)))
    assert "“12,5” cannot be read as an amount" in said
    assert "Files ending in “.exe” are not accepted" in said


def test_a_good_file_must_be_chosen_once_more_when_the_amount_is_wrong(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    changes = {"amount": "12,5", "file": upload("invoice.pdf")}
    said = text_of(sign_in(draft.created_by).post(f"/claims/{draft.pk}/lines/new/", invoice(draft, **changes)))
    assert "Choose invoice.pdf once more" in said


def test_a_file_above_the_limit_is_refused_with_its_size(sign_in: SignIn, settings: object) -> None:
    settings.DOCUMENT_MAX_BYTES = 100  # type: ignore[attr-defined]
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(
        f"/claims/{draft.pk}/lines/new/", invoice(draft, file=upload("big.pdf", PDF + b"x" * 200))
    )
    assert response.status_code == 400
    assert "Make it smaller or split it" in text_of(response)


def test_in_house_work_has_a_page_of_its_own(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    said = page(client, f"/claims/{draft.pk}/lines/new/?kind=csr")
    assert "Certification statement and report (CSR)" in said
    assert "Invoice number" not in said
    client.post(
        f"/claims/{draft.pk}/lines/new/",
        {
            "kind": "csr",
            "revision": draft.revision,
            "description": "Calls by our team",
            "amount": "1850",
            "next": "another",
        },
    )
    assert draft.lines.get().kind == "csr"


def test_a_line_is_changed_and_taken_out_with_its_files(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    line = add_invoice(draft, "100.00")
    draft.refresh_from_db()
    client = sign_in(draft.created_by)
    page(client, f"/claims/{draft.pk}/lines/{line.pk}/")
    client.post(f"/claims/{draft.pk}/lines/{line.pk}/", invoice(draft, amount="90"))
    line.refresh_from_db()
    assert line.amount_minor == 9_000
    assert "will no longer be claimed" in page(client, f"/claims/{draft.pk}/lines/{line.pk}/remove/")
    client.post(f"/claims/{draft.pk}/lines/{line.pk}/remove/")
    assert not draft.lines.exists()
    assert not draft.documents.exists()


def test_an_invoice_dated_outside_its_window_is_told_on_its_page(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    line = add_invoice(draft, "100.00", on=date(2024, 9, 2))
    client = sign_in(draft.created_by)
    assert "dated outside 1 Jan 2024 to 14 Aug 2024" in page(client, f"/claims/{draft.pk}/lines/{line.pk}/")
    html = client.get(f"/claims/{draft.pk}/lines/{line.pk}/").content.decode()
    assert 'href="#id_invoiced_on"' in html
    assert 'id="id_invoiced_on"' in html
    listed = page(client, f"/claims/{draft.pk}/lines/?kind=invoice")
    assert "dated outside" in listed
    assert "There is a problem" in listed


def test_a_line_written_on_an_older_reading_shows_who_was_faster(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    line = add_invoice(draft, "100.00", document=False)
    draft.refresh_from_db()
    colleague = make_person(draft.partner, name="Ben Adler")
    written = invoice(draft)
    change_line(draft.pk, line.pk, {"supplier": "Fabrikam"}, by=colleague, at=clock.now())
    client = sign_in(draft.created_by)
    response = client.post(f"/claims/{draft.pk}/lines/{line.pk}/", written)
    assert response.status_code == 409
    assert "Ben Adler changed a line" in text_of(response)
    assert "Fabrikam Fabrikam Print" in text_of(response)
    assert 'value="Fabrikam Print"' in response.content.decode()
    line.refresh_from_db()
    assert line.supplier == "Fabrikam"


def test_what_others_save_elsewhere_in_a_claim_is_in_nobodys_way(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    colleague = make_person(draft.partner, name="Ben Adler")
    written = invoice(draft)
    add_line(draft.pk, kind="csr", amount_minor=100, by=colleague, at=clock.now())
    response = sign_in(draft.created_by).post(f"/claims/{draft.pk}/lines/new/", written)
    assert response.status_code == 302
    assert draft.lines.count() == 2


# --- Proof and results -------------------------------------------------------------------------------------------------


def test_proof_is_a_checklist_with_files_addresses_and_notes(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    assert "Call script Missing" in page(client, f"/claims/{draft.pk}/proof/")
    client.post(
        f"/claims/{draft.pk}/proof/",
        {"revision": draft.revision, "file_call-script": upload("script.pdf"), "note_call-script": "Page 2"},
    )
    said = page(client, f"/claims/{draft.pk}/proof/")
    assert "script.pdf" in said
    assert draft.documents.get().sha256 not in said  # it stands on the receipt and in the review
    assert "Page 2" in said
    response = client.post(f"/claims/{draft.pk}/proof/", {"url_call-log": "https://northwind.example/log"})
    assert response["Location"] == f"/claims/{draft.pk}/"


def test_of_a_group_one_proof_is_enough(sign_in: SignIn) -> None:
    draft = make_draft(make_fund(), "website-search")
    client = sign_in(draft.created_by)
    assert "One of these is enough Missing" in page(client, f"/claims/{draft.pk}/proof/")
    client.post(f"/claims/{draft.pk}/proof/", {"url_url": "https://northwind.example/"})
    assert "One of these is enough Given" in page(client, f"/claims/{draft.pk}/proof/")


def test_a_refused_proof_keeps_its_text_while_the_others_are_saved(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    response = sign_in(draft.created_by).post(
        f"/claims/{draft.pk}/proof/",
        {
            "file_call-script": upload("script.pdf"),
            "file_call-log": upload("log.exe", b"MZ"),
            "note_call-log": "From the dialler",
        },
    )
    assert response.status_code == 400
    assert "Files ending in “.exe” are not accepted" in text_of(response)
    assert 'value="From the dialler"' in response.content.decode()
    assert draft.documents.get().kind == "call-script"


def test_a_new_file_takes_the_place_of_the_one_before_or_stands_beside_it(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/proof/"
    client.post(path, {"file_call-script": upload("one.pdf")})
    client.post(path, {"file_call-script": upload("two.pdf"), "replace_call-script": "on"})
    assert [document.filename for document in draft.documents.all()] == ["two.pdf"]
    client.post(path, {"file_call-script": upload("three.pdf")})
    assert [document.filename for document in draft.documents.all()] == ["two.pdf", "three.pdf"]
    document = draft.documents.first()
    assert document is not None
    page(client, f"/claims/{draft.pk}/documents/{document.pk}/remove/")
    client.post(f"/claims/{draft.pk}/documents/{document.pk}/remove/")
    assert [document.filename for document in draft.documents.all()] == ["three.pdf"]


def test_results_are_whole_numbers_where_they_count(sign_in: SignIn) -> None:
    draft = make_draft(make_fund())
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/results/"
    page(client, path)
    response = client.post(path, {"calls": "many", "successful-contacts": "12"})
    assert response.status_code == 400
    assert "“many” is not a whole number" in text_of(response)
    assert 'value="many"' in response.content.decode()
    client.post(path, {"calls": "1,250", "successful-contacts": "12"})
    draft.refresh_from_db()
    assert draft.metrics == {"calls": "1250", "successful-contacts": "12"}


# --- What is not theirs, and what is closed -----------------------------------------------------------------------------


PATHS = [
    "",
    "about/",
    "lines/",
    "lines/new/",
    "proof/",
    "results/",
    "send/",
    "receipt/",
    "withdraw/",
]


def test_others_claims_and_documents_are_not_found(sign_in: SignIn) -> None:
    mine, claim = make_fund(), make_claim(make_fund(enrollment=make_enrollment()))
    client = sign_in(marketer_of(mine.partner))
    line, document = claim.lines.first(), claim.documents.first()
    assert line is not None
    assert document is not None
    for path in [*PATHS, f"lines/{line.pk}/", f"lines/{line.pk}/remove/", f"documents/{document.pk}/remove/"]:
        assert client.get(f"/claims/{claim.pk}/{path}").status_code == 404, path
        if path not in ("", "lines/", "receipt/"):
            assert client.post(f"/claims/{claim.pk}/{path}").status_code == 404, path
    assert client.get(f"/documents/{document.pk}/content/").status_code == 404
    claim.refresh_from_db()
    assert (claim.status, claim.lines.count(), claim.documents.count()) == ("draft", 1, 3)


def test_a_line_or_document_of_another_claim_is_not_found_under_this_one(sign_in: SignIn) -> None:
    fund = make_fund()
    one, other = make_claim(fund, "1.00"), make_claim(fund, "2.00")
    client = sign_in(one.created_by)
    line, document = other.lines.first(), other.documents.first()
    assert line is not None
    assert document is not None
    assert client.get(f"/claims/{one.pk}/lines/{line.pk}/").status_code == 404
    assert client.post(f"/claims/{one.pk}/documents/{document.pk}/remove/").status_code == 404


def test_a_document_is_served_as_it_came_and_to_the_vendor_only_after_sending(sign_in: SignIn) -> None:
    claim = make_claim(make_fund())
    document = claim.documents.filter(kind="invoice").get()
    response = sign_in(claim.created_by).get(f"/documents/{document.pk}/content/")
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content).startswith(PDF)
    manager = sign_in(vendor("manager"))
    assert manager.get(f"/documents/{document.pk}/content/").status_code == 404
    submit_claim(claim.id, by=claim.created_by, at=clock.now())
    response = manager.get(f"/documents/{document.pk}/content/?download=1")
    assert response["Content-Disposition"].startswith("attachment")
    response.close()


def test_a_sent_claim_takes_no_input_and_gives_the_words_back(sign_in: SignIn) -> None:
    claim = make_sent_claim(make_fund())
    client = sign_in(claim.created_by)
    assert client.get(f"/claims/{claim.pk}/about/").status_code == 302
    response = client.post(f"/claims/{claim.pk}/lines/new/", invoice(claim, supplier="Typed in vain"))
    assert response.status_code == 409
    assert "Typed in vain" in text_of(response)
    assert claim.lines.count() == 1
