"""Who is asked to do a task of a claim, and what an agency's guest can reach."""

from __future__ import annotations

from typing import Any

import pytest

from claims.models import Claim, Invitation
from claims.operations.documents import add_document, remove_document
from claims.operations.drafting import add_line, change_line, update_claim
from claims.operations.invitations import finish_task, invite, revoke
from claims.operations.sending import submit_claim
from claims.permissions import may_work_on
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, Refused, WrongStatus
from partners.models import Event, Person
from tests.factories import PDF, add_invoice, make_claim, make_draft, make_fund, make_person, vendor

pytestmark = pytest.mark.django_db


def given(by: Person) -> dict[str, Any]:
    return {"by": by, "at": clock.now()}


@pytest.fixture
def draft() -> Claim:
    return make_draft(make_fund())


def ask(claim: Claim, task: str = "proof", note: str = "", **who: Any) -> Invitation:
    who = {**(who or {"email": "Gia@Agency.example", "name": "Gia Rossi"}), "note": note}
    return invite(claim.pk, task=task, **who, **given(claim.created_by))


def test_a_new_guest_is_added_without_a_password_and_sees_one_task(draft: Claim) -> None:
    invitation = ask(draft, note="The call log of February")
    guest = invitation.person
    assert (guest.email, guest.role, guest.partner_id) == ("gia@agency.example", "agency", draft.partner_id)
    assert not guest.has_usable_password()
    assert [task for task in ("about", "invoice", "csr", "proof", "results") if may_work_on(guest, draft, task)] == [
        "proof"
    ]
    assert not Claim.objects.visible_to(guest).exists()
    told = Event.objects.get(verb="claim.task_given")
    assert (told.partner_only, told.data["person"], told.data["note"]) == (
        True,
        "Gia Rossi",
        "The call log of February",
    )


def test_asking_twice_is_asking_once_and_a_known_guest_is_not_added_again(draft: Claim) -> None:
    assert ask(draft).pk == ask(draft).pk
    other = ask(draft, "results")
    assert Person.objects.filter(role="agency").count() == 1
    assert other.person.invitations.count() == 2


@pytest.mark.parametrize(
    ("who", "field"),
    [
        ({}, "task"),
        ({"email": "", "name": ""}, "email"),
        ({"email": "no address", "name": "Gia"}, "email"),
        ({"email": "a@b.example", "name": " "}, "name"),
        ({"person_id": 0}, "person"),
    ],
)
def test_what_is_missing_is_said_at_its_field(draft: Claim, who: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite(draft.pk, task="proof" if who else "nothing", **who, **given(draft.created_by))
    assert field in {error.field for error in refused.value.errors}
    assert not Invitation.objects.exists()


def test_a_guest_whom_another_partner_added_is_chosen_by_name_once_the_own_organisation_asked(draft: Claim) -> None:
    guest = ask(draft).person
    other = make_draft(make_fund())
    with pytest.raises(Invalid):
        ask(other, person_id=guest.pk)
    assert ask(other, email=guest.email).person == guest
    assert ask(other, "results", person_id=guest.pk).person == guest


def test_nobody_of_the_vendor_and_no_writer_of_another_partner_is_asked(draft: Claim) -> None:
    stranger = make_person(make_draft(make_fund()).partner)
    for email in (vendor("manager").email, stranger.email):
        with pytest.raises(Invalid, match="cannot be asked"):
            ask(draft, email=email, name="X")
    with pytest.raises(Invalid):
        ask(draft, person_id=stranger.pk)


def test_only_who_writes_the_claim_asks_and_takes_back(draft: Claim) -> None:
    invitation = ask(draft)
    stranger = make_person(make_draft(make_fund()).partner)
    for person, refusal in ((stranger, NotFound), (invitation.person, NotFound), (vendor("manager"), NotFound)):
        with pytest.raises(refusal):
            invite(draft.pk, task="proof", person_id=stranger.pk, **given(person))
        with pytest.raises(refusal):
            revoke(invitation.pk, **given(person))


def test_what_a_guest_may_do_ends_when_the_task_is_taken_back(draft: Claim) -> None:
    invitation = ask(draft)
    guest = invitation.person
    document = add_document(draft.pk, kind="call-log", filename="log.pdf", data=PDF, **given(guest))
    revoke(invitation.pk, **given(draft.created_by))
    with pytest.raises(NotFound):
        add_document(draft.pk, kind="call-log", filename="log.pdf", data=PDF, **given(guest))
    with pytest.raises(NotFound):
        remove_document(draft.pk, document.pk, **given(guest))
    with pytest.raises(WrongStatus):
        revoke(invitation.pk, **given(draft.created_by))
    assert draft.documents.count() == 1


def test_a_task_that_is_done_is_closed_and_can_be_asked_for_again(draft: Claim) -> None:
    invitation = ask(draft)
    with pytest.raises(NotFound):
        finish_task(invitation.pk, **given(draft.created_by))
    finish_task(invitation.pk, note="All there", **given(invitation.person))
    assert not may_work_on(invitation.person, draft, "proof")
    with pytest.raises(WrongStatus):
        finish_task(invitation.pk, **given(invitation.person))
    again = ask(draft)
    assert again.pk != invitation.pk
    assert may_work_on(invitation.person, draft, "proof")


def test_after_sending_a_guest_reaches_nothing() -> None:
    claim = make_claim(make_fund(), "100.00")
    invitation = ask(claim)
    submit_claim(claim.pk, **given(claim.created_by))
    claim.refresh_from_db()
    assert not may_work_on(invitation.person, claim, "proof")
    with pytest.raises(NotFound):
        add_document(claim.pk, kind="call-log", filename="l.pdf", data=PDF, **given(invitation.person))
    with pytest.raises(WrongStatus):
        ask(claim)
    with pytest.raises(WrongStatus):
        finish_task(invitation.pk, **given(invitation.person))


def test_a_guest_writes_the_own_lines_of_the_one_task_and_no_others(draft: Claim) -> None:
    guest = ask(draft, "invoice").person
    theirs = add_invoice(draft, "900.00")
    values = {"supplier": "Agency", "invoice_number": "A-1"}
    mine = add_line(draft.pk, kind="invoice", amount_minor=100, **values, **given(guest))
    change_line(draft.pk, mine.pk, {"amount_minor": 200}, **given(guest))
    forbidden = [
        lambda: change_line(draft.pk, theirs.pk, {"amount_minor": 1}, **given(guest)),
        lambda: add_line(draft.pk, kind="csr", amount_minor=1, **given(guest)),
        lambda: update_claim(draft.pk, {"title": "Mine"}, **given(guest)),
        lambda: update_claim(draft.pk, {"metrics": {"calls": "1"}}, **given(guest)),
        lambda: add_document(draft.pk, kind="invoice", line_id=theirs.pk, filename="a.pdf", data=PDF, **given(guest)),
        lambda: add_document(draft.pk, kind="call-log", filename="a.pdf", data=PDF, **given(guest)),
        lambda: remove_document(draft.pk, theirs.documents.get().pk, **given(guest)),
        lambda: submit_claim(draft.pk, **given(guest)),
    ]
    for attempt in forbidden:
        with pytest.raises(Refused) as refused:
            attempt()
        assert isinstance(refused.value, NotFound | NotAllowed)
    theirs.refresh_from_db()
    assert theirs.amount_minor == 90_000
