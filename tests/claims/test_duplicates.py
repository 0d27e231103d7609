"""Evidence that was given twice: what is found, what each side may know of it, and how it is judged."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given as given_any
from hypothesis import settings as effort
from hypothesis import strategies as st

from claims.files.suppliers import number_key, supplier_key
from claims.models import Claim, Document, Duplicate
from claims.operations import sending
from claims.operations.bulk import approve_clean
from claims.operations.documents import add_document, remove_document
from claims.operations.drafting import add_line, change_line
from claims.operations.duplicates import keep_duplicate, look_for_duplicates, resolve_duplicate
from claims.operations.evidence import reuse_document
from claims.operations.review import reject_claim, start_review
from claims.operations.sending import submit_claim, withdraw_claim
from claims.queries.duplicates import duplicates_of, hints_of, sentence_for
from claims.web.duplicates import hints_for
from coop import jobs
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, RuleFailed, WrongStatus
from funds.models import Fund
from partners.models import Event, Person
from tests import factories as make
from tests.claims import papers


def who(person: Person) -> dict[str, Any]:
    return {"by": person, "at": clock.now()}


def invoice(claim: Claim, number: str, amount: str = "500.00", **more: Any) -> Any:
    """A line whose invoice the test describes."""
    return make.add_invoice(claim, amount, **{"supplier": f"Supplier {claim.pk}", "invoice_number": number, **more})


def sent(fund: Fund, number: str = "INV-7", amount: str = "500.00", **more: Any) -> Claim:
    claim = make.make_draft(fund, title=f"Calls of {fund.partner.name}")
    invoice(claim, number, amount, **{"supplier": "Fabrikam Print GmbH", **more})
    make.complete(claim)
    return submit_claim(claim.id, **who(claim.created_by))


def pairs(claim: Claim) -> list[tuple[str, int, int]]:
    """What is known of a claim: the way in which it is alike, the later claim, the earlier one."""
    found = Duplicate.objects.filter(claim=claim) | Duplicate.objects.filter(other=claim)
    return [(pair.kind, pair.claim_id, pair.other_id) for pair in found.order_by("id")]


@pytest.fixture
def other_fund(fund: Fund) -> Fund:
    """A fund of another partner."""
    return make.make_fund(enrollment=make.make_enrollment(make.make_location(make.make_partner("Contoso"))))


def test_two_claims_that_were_sent_in_one_instant_find_each_other_when_a_review_begins(
    fund: Fund, other_fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While both were being sent, neither was sent yet for the other."""
    monkeypatch.setattr(sending, "look_for_duplicates", lambda claim, at: 0)
    drafts = [make.make_draft(one) for one in (fund, other_fund)]
    for draft in drafts:
        invoice(draft, "INV-7", supplier="Fabrikam Print GmbH")
        make.complete(draft)
    earlier, later = (submit_claim(draft.pk, **who(draft.created_by)) for draft in drafts)
    assert pairs(later) == []
    with pytest.raises(RuleFailed, match="evidence seen before"):
        approve_clean(earlier.pk, **who(make.vendor("manager")))
    start_review(earlier.pk, **who(make.vendor("manager")))
    assert ("invoice", later.pk, earlier.pk) in pairs(later)


# --- How names and numbers are compared ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fabrikam Print GmbH & Co. KG", "FABRIKAM-PRINT"),
        ("Fabrikam Print, Inc.", "fabrikam  print"),
        ("The Fabrikam Company Ltd", "Fabrikam"),
        ("Müller Druck GmbH", "Mueller Druck"),
        ("Müller Druck GmbH", "MULLER DRUCK AG"),
        ("Société Générale S.A.", "SOCIETE GENERALE"),
        ("Druck S.à r.l.", "Druck SARL"),
        ("株式会社ABC", "ABC K.K."),
        ("\uff26\uff41\uff42rikam", "Fabrikam"),
        ("Łódź Druk sp. z o.o.", "Lodz Druk"),
        ("O'Neil Print Pty Ltd", "ONeil Print"),
    ],
)
def test_a_supplier_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert supplier_key(one) == supplier_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("Fabrikam", "Fabrikon"), ("AS Roma", "Roma"), ("AG", "SE"), ("", "Fabrikam")]
)
def test_different_suppliers_stay_different(one: str, other: str) -> None:
    assert supplier_key(one) != supplier_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INV-00123", "inv 123"),
        ("Invoice no. 2024/017", "2024-17"),
        ("R 2024-1", "r2024/0001"),
        ("Rechnung Nr. 5", "5"),
        ("\uff11\uff12\uff13", "123"),
        ("000", "0"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert number_key(one) == number_key(other) != ""


@pytest.mark.parametrize(("one", "other"), [("1-11", "11-1"), ("2024-17", "2024-170"), ("A-1", "B-1"), ("12", "1200")])
def test_different_numbers_stay_different(one: str, other: str) -> None:
    assert number_key(one) != number_key(other)


@effort(max_examples=60, deadline=None)
@given_any(st.text(max_size=200))
def test_keys_are_plain_short_and_stay_as_they_are(text: str) -> None:
    for key in (supplier_key(text), number_key(text)):
        assert key.isascii()
        assert len(key) <= 80
        assert "\x00" not in key


# --- What is found --------------------------------------------------------------------------------------------------------


def test_the_same_invoice_is_found_across_partners_whatever_became_of_the_first(fund: Fund, other_fund: Fund) -> None:
    first = sent(fund, "INV-0007")
    withdraw_claim(first.id, **who(first.created_by))
    second = sent(other_fund, "inv 7", "80.00", supplier="FABRIKAM-PRINT", on=date(2024, 1, 9))
    assert pairs(second) == [("invoice", second.pk, first.pk)]
    third = sent(fund, "7", "90.00", supplier="Fabrikam Print Inc.", on=date(2024, 2, 9))
    assert set(pairs(third)) == {("invoice", third.pk, first.pk), ("invoice", third.pk, second.pk)}


def test_the_same_amount_of_one_supplier_is_found_within_fourteen_days(fund: Fund, other_fund: Fund) -> None:
    first = sent(fund, "A-1", on=date(2024, 2, 10))
    near = sent(other_fund, "A-2", on=date(2024, 2, 24))
    assert pairs(near) == [("amount", near.pk, first.pk)]
    far = sent(other_fund, "A-3", on=date(2024, 3, 10))
    cheaper = sent(other_fund, "A-4", "499.99", on=date(2024, 2, 10))
    stranger = sent(other_fund, "A-5", supplier="Tailspin", on=date(2024, 2, 10))
    assert [pairs(claim) for claim in (far, cheaper, stranger)] == [[], [], []]


def test_what_an_invoice_cost_counts_where_less_of_it_is_claimed(fund: Fund, other_fund: Fund) -> None:
    first = sent(fund, "A-1", "500.00")
    part = sent(other_fund, "A-2", "100.00", cost_minor=500_00)
    assert pairs(part) == [("amount", part.pk, first.pk)]


def test_the_same_file_is_found_and_goes_when_it_is_taken_out(fund: Fund, other_fund: Fund) -> None:
    first, second = make.make_claim(fund), make.make_draft(other_fund)
    proof = first.documents.exclude(kind="invoice").order_by("id")[0]
    submit_claim(first.id, **who(first.created_by))
    with proof.stored.file.open("rb") as file:
        again = add_document(second.id, kind="other", filename="x.png", data=file.read(), **who(second.created_by))
    assert pairs(second) == [("file", second.pk, first.pk)]
    remove_document(second.id, again.id, **who(second.created_by))
    assert pairs(second) == []


def test_the_same_picture_is_found_by_the_worker_after_it_was_saved_anew(fund: Fund, other_fund: Fund) -> None:
    first, second = make.make_claim(fund), make.make_draft(other_fund)
    add_document(first.id, kind="other", filename="a.png", data=papers.image("PNG"), **who(first.created_by))
    add_document(second.id, kind="other", filename="b.jpg", data=papers.image("JPEG"), **who(second.created_by))
    submit_claim(first.id, **who(first.created_by))
    assert pairs(second) == []
    jobs.make_previews(clock.now())
    assert ("picture", second.pk, first.pk) in pairs(second)


def test_drafts_of_others_are_nobodys_business_until_they_are_sent(fund: Fund, other_fund: Fund) -> None:
    draft = make.make_draft(fund)
    invoice(draft, "INV-7", supplier="Fabrikam Print")
    second = sent(other_fund)
    assert pairs(second) == []
    make.complete(draft)
    submit_claim(draft.id, **who(draft.created_by))
    assert pairs(second) == [("invoice", draft.pk, second.pk)]


def test_a_partner_is_reminded_of_its_own_drafts_and_the_first_sent_is_the_earlier(fund: Fund) -> None:
    old, new = make.make_draft(fund), make.make_draft(fund)
    for claim in (old, new):
        invoice(claim, "INV-7", supplier="Fabrikam Print")
        make.complete(claim)
    assert pairs(new) == [("invoice", new.pk, old.pk)]
    submit_claim(new.id, **who(new.created_by))
    submit_claim(old.id, **who(old.created_by))
    assert pairs(new) == [("invoice", old.pk, new.pk)]
    pair = Duplicate.objects.get()
    assert (pair.line.claim_id, pair.other_line.claim_id) == (old.pk, new.pk)


def test_twice_in_one_claim_is_found_once(fund: Fund) -> None:
    claim = make.make_draft(fund)
    first, second = (invoice(claim, number, supplier="Fabrikam") for number in ("INV-7", "inv-007"))
    add_document(claim.id, kind="other", filename="a.pdf", data=papers.PDF, **who(claim.created_by))
    add_document(claim.id, kind="other", filename="b.pdf", data=papers.PDF, **who(claim.created_by))
    assert pairs(claim) == [("invoice", claim.pk, claim.pk), ("file", claim.pk, claim.pk)]
    found = Duplicate.objects.order_by("id")[0]
    assert (found.line_id, found.other_line_id) == (second.pk, first.pk)
    assert "in this claim" in sentence_for(hints_of(claim)[0])


def test_a_mended_line_is_forgotten_and_a_judged_one_is_not(fund: Fund, other_fund: Fund) -> None:
    sent(fund)
    draft = make.make_draft(other_fund)
    line = invoice(draft, "INV-7", supplier="Fabrikam Print", on=date(2024, 1, 9))
    assert len(pairs(draft)) == 1
    change_line(draft.id, line.pk, {"invoice_number": "INV-8"}, **who(draft.created_by))
    assert pairs(draft) == []
    make.complete(draft)
    change_line(draft.id, line.pk, {"invoice_number": "INV-7"}, **who(draft.created_by))
    submit_claim(draft.id, **who(draft.created_by))
    pair = Duplicate.objects.get()
    resolve_duplicate(pair.pk, resolution="different", reason="Two offices.", **who(make.vendor("manager")))
    look_for_duplicates(draft, clock.now())
    assert Duplicate.objects.get().resolution == "different"


def test_looking_again_finds_nothing_new_and_equal_lines_are_bounded(
    fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = make.make_draft(fund)
    for number in range(4):
        add_line(
            claim.id,
            kind="invoice",
            supplier="Fabrikam",
            invoice_number=f"A{number}",
            invoiced_on=date(2024, 3, 1),
            amount_minor=100,
            **who(claim.created_by),
        )
    assert len(pairs(claim)) == 6
    assert look_for_duplicates(claim, clock.now()) == 0
    Duplicate.objects.all().delete()
    monkeypatch.setattr("claims.operations.duplicates.AT_MOST", 1)
    assert look_for_duplicates(claim, clock.now()) == 3


def test_the_table_keeps_a_pair_once_whichever_side_it_is_written_from(fund: Fund) -> None:
    claim = make.make_draft(fund)
    one, other = (invoice(claim, number, supplier="Fabrikam") for number in ("INV-7", "inv-007"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Duplicate.objects.create(
            kind="invoice", claim=claim, other=claim, line=one, other_line=other, found_at=clock.now()
        )


# --- What each side may know ------------------------------------------------------------------------------------------------


def test_the_later_partner_hears_that_it_was_given_before_and_nothing_more(
    fund: Fund, other_fund: Fund, client: Client
) -> None:
    first = sent(fund)
    draft = make.make_draft(other_fund)
    line = invoice(draft, "inv 7", supplier="Fabrikam Print", on=date(2024, 1, 9))
    [hint] = hints_of(draft)
    assert "by another organisation" in sentence_for(hint)
    assert [(fact.kind, fact.field, fact.other) for fact in duplicates_of(draft)] == [
        ("invoice", f"lines.{line.pk}", "")
    ]
    client.force_login(draft.created_by)
    page = client.get(f"/claims/{draft.pk}/duplicates/{hint.pk}/").content.decode()
    for secret in (first.number, fund.partner.name, first.title):
        assert secret not in page
    client.force_login(first.created_by)
    assert client.get(f"/claims/{first.pk}/duplicates/{hint.pk}/").status_code == 404
    assert duplicates_of(first) == []


def test_the_own_earlier_claim_is_named(fund: Fund) -> None:
    first = sent(fund)
    draft = make.make_draft(fund)
    line = invoice(draft, "INV-7", supplier="Fabrikam Print", on=date(2024, 1, 9))
    [hint] = hints_for(draft)[f"line-{line.pk}"]
    assert hint["other"] == first.number
    assert f"in your claim {first.number} (sent)" in hint["sentence"]
    assert duplicates_of(draft)[0].other == first.number


def test_a_file_that_was_reused_on_purpose_says_so(fund: Fund) -> None:
    first = make.make_claim(fund)
    source = first.documents.exclude(kind="invoice").order_by("id")[0]
    submit_claim(first.id, **who(first.created_by))
    draft = make.make_draft(fund)
    again = reuse_document(draft.id, source.id, kind=source.kind, **who(draft.created_by))
    [hint] = hints_for(draft)[f"document-{again.pk}"]
    assert hint["sentence"].endswith("You chose to use it again.")


def test_a_partner_keeps_what_it_gave_twice_and_says_why(fund: Fund, client: Client) -> None:
    sent(fund)
    draft = make.make_draft(fund)
    line = invoice(draft, "INV-7", supplier="Fabrikam Print", on=date(2024, 1, 9))
    [hint] = hints_of(draft)
    client.force_login(draft.created_by)
    path = f"/claims/{draft.pk}/duplicates/{hint.pk}/"
    assert "Say why it is right" in client.post(path, {"why": " "}).content.decode()
    answer = client.post(path, {"why": "Half of it each."})
    assert (answer.status_code, answer["Location"]) == (302, f"/claims/{draft.pk}/lines/{line.pk}/")
    assert Duplicate.objects.get().kept_because == "Half of it each."
    event = Event.objects.filter(verb="claim.duplicate_kept").get()
    assert event.partner_only, "the claim was not sent yet"
    for stranger in (make.make_person(make.make_partner("Contoso")), make.vendor("manager")):
        with pytest.raises(NotFound):
            keep_duplicate(hint.pk, why="Mine", **who(stranger))


def test_a_reviewer_sees_both_side_by_side_and_says_what_they_are(fund: Fund, other_fund: Fund, client: Client) -> None:
    first, second = sent(fund), sent(other_fund, on=date(2024, 1, 9))
    reject_claim(first.id, reason="Not covered.", **who(make.vendor("manager")))
    manager = make.vendor("manager")
    client.force_login(manager)
    assert second.number in client.get("/duplicates/").content.decode()
    pair = Duplicate.objects.get()
    page = client.get(f"/duplicates/{pair.pk}/").content.decode()
    for shown in (first.number, second.number, fund.partner.name, "Contoso", "declined", "INV-7"):
        assert shown in page
    bad = client.post(f"/duplicates/{pair.pk}/", {"reason": ""})
    assert bad.status_code == 400
    assert "Choose what they are" in bad.content.decode()
    assert "Say why" in bad.content.decode()
    good = client.post(f"/duplicates/{pair.pk}/", {"resolution": "duplicate", "reason": "One invoice."})
    assert good.status_code == 302
    pair.refresh_from_db()
    assert (pair.resolution, pair.resolved_by) == ("duplicate", manager)
    events = Event.objects.filter(verb="claim.duplicate_resolved")
    assert {event.partner_id for event in events} == {fund.partner_id, other_fund.partner_id}
    assert all(event.vendor_only for event in events)
    with pytest.raises(WrongStatus):
        resolve_duplicate(pair.pk, resolution="different", reason="No.", **who(manager))
    assert "Nothing looks like it was given twice" in client.get("/duplicates/").content.decode()


def test_of_a_partner_outside_the_portfolio_nothing_is_shown(fund: Fund, other_fund: Fund, client: Client) -> None:
    first, second = sent(fund), sent(other_fund, on=date(2024, 1, 9))
    pair = Duplicate.objects.get()
    manager = make.make_person(None, "channel_manager", title="pdm", portfolio=[other_fund.partner_id])
    client.force_login(manager)
    for path in ("/duplicates/", f"/duplicates/{pair.pk}/"):
        page = client.get(path).content.decode()
        assert second.number in page
        assert "Another organisation" in page
        for secret in (first.number, fund.partner.name, first.title):
            assert secret not in page
    keep_duplicate(pair.pk, why="Half of it each.", **who(second.created_by))
    client.force_login(make.make_person(None, "channel_manager", title="pdm", portfolio=[fund.partner_id]))
    for path in ("/duplicates/", f"/duplicates/{pair.pk}/"):
        page = client.get(path).content.decode()
        assert first.number in page
        for secret in (second.number, "Half of it each."):
            assert secret not in page
    resolve_duplicate(pair.pk, resolution="accepted", reason="Shared campaign.", **who(manager))
    stranger = make.make_person(None, "channel_manager", title="pdm", portfolio=[])
    client.force_login(stranger)
    assert client.get(f"/duplicates/{pair.pk}/").status_code == 404


def test_only_a_channel_manager_judges_and_always_with_a_reason(fund: Fund, other_fund: Fund, client: Client) -> None:
    first = sent(fund)
    sent(other_fund, on=date(2024, 1, 9))
    pair = Duplicate.objects.get()
    for person in (make.vendor("finance"), make.vendor("auditor")):
        with pytest.raises(NotAllowed):
            resolve_duplicate(pair.pk, resolution="different", reason="No.", **who(person))
    with pytest.raises(NotFound):
        resolve_duplicate(pair.pk, resolution="different", reason="No.", **who(first.created_by))
    with pytest.raises(Invalid) as caught:
        resolve_duplicate(pair.pk, resolution="maybe", reason=" ", **who(make.vendor("manager")))
    assert {error.field for error in caught.value.errors} == {"resolution", "reason"}
    client.force_login(first.created_by)
    assert client.get("/duplicates/").status_code == 403
    assert Document.objects.exists()
