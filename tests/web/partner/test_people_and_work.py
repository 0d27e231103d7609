"""Several people on one claim, agencies' guests, in-house work, files used again, and words that are not lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from claims.models import Claim, Invitation
from claims.operations.documents import add_document
from claims.operations.invitations import invite, revoke
from claims.operations.sending import submit_claim
from coop.lib import clock
from partners.models import Person
from tests.api.client import api_of
from tests.factories import PDF, add_invoice, make_claim, make_draft, make_fund, make_person
from tests.web.partner.conftest import page, text_of, upload

pytestmark = pytest.mark.django_db
SignIn = Callable[[Person], Client]


@pytest.fixture
def draft() -> Claim:
    return make_draft(make_fund())


def guest_of(claim: Claim, task: str = "proof") -> tuple[Person, Invitation]:
    by = claim.created_by
    invitation = invite(claim.pk, task=task, email="gia@agency.example", name="Gia Rossi", by=by, at=clock.now())
    return invitation.person, invitation


# --- People -------------------------------------------------------------------------------------------------------------


def test_a_guest_is_asked_by_mail_and_the_task_shows_its_owner(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/people/"
    page(client, path)
    asked = {"task": "proof", "person": "new", "name": "Gia Rossi", "email": "gia@agency.example", "note": "The log"}
    refused = client.post(path, {**asked, "email": ""})
    assert refused.status_code == 400
    assert "Give the e-mail address" in text_of(refused)
    client.post(path, asked)
    assert [message.to for message in mail.outbox] == [["gia@agency.example"]]
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "Gia Rossi, asked by" in page(client, f"/claims/{draft.pk}/")
    invitation = Invitation.objects.get()
    client.post(f"{path}{invitation.pk}/remove/")
    assert "Gia Rossi, asked by" not in page(client, f"/claims/{draft.pk}/")


def test_a_colleague_is_asked_at_home_and_says_that_it_is_done(sign_in: SignIn, draft: Claim) -> None:
    ben = make_person(draft.partner, name="Ben Adler")
    asked = invite(draft.pk, task="results", person_id=ben.pk, note="The calls", by=draft.created_by, at=clock.now())
    client = sign_in(ben)
    assert "Asked of you Results of" in page(client, "/")
    assert "asked you to do a task: results" in page(client, f"/claims/{draft.pk}/")
    client.post(f"/tasks/{asked.pk}/done/", {"note": "Counted"})
    assert "Ben Adler, done" in page(client, f"/claims/{draft.pk}/")


# --- Guests -------------------------------------------------------------------------------------------------------------


def test_a_guest_does_the_one_task_and_sees_nothing_else(sign_in: SignIn, draft: Claim) -> None:
    add_document(draft.pk, kind="call-script", filename="secret.pdf", data=PDF, by=draft.created_by, at=clock.now())
    guest, invitation = guest_of(draft)
    client = sign_in(guest)
    assert "Proof of execution of" in page(client, "/")
    assert "Begin" in page(client, f"/tasks/{invitation.pk}/")
    said = page(client, f"/claims/{draft.pk}/proof/")
    assert "Somebody else gave something for this already" in said
    assert "secret.pdf" not in said
    assert "10,003.55" not in said
    client.post(f"/claims/{draft.pk}/proof/", {"revision": draft.revision, "file_call-log": upload("log.pdf")})
    mine = draft.documents.get(filename="log.pdf")
    assert mine.uploaded_by == guest
    assert "log.pdf" in page(client, f"/tasks/{invitation.pk}/")
    content = client.get(f"/documents/{mine.pk}/content/")
    assert b"".join(content.streaming_content) == PDF  # type: ignore[arg-type]
    client.post(f"/tasks/{invitation.pk}/done/")
    assert client.get(f"/tasks/{invitation.pk}/").status_code == 404
    assert client.get(f"/documents/{mine.pk}/content/").status_code == 404
    assert "Nothing is asked of you" in page(client, "/")


def test_a_guest_for_invoices_sees_only_those_that_the_guest_added(sign_in: SignIn, draft: Claim) -> None:
    theirs = add_invoice(draft, "900.00", supplier="Hidden Ltd")
    guest, _ = guest_of(draft, "invoice")
    client = sign_in(guest)
    path = f"/claims/{draft.pk}/lines/"
    assert "Hidden" not in page(client, f"{path}?kind=invoice")
    assert client.get(f"{path}{theirs.pk}/").status_code == 404
    draft.refresh_from_db()
    line = {
        "kind": "invoice",
        "supplier": "Agency",
        "invoice_number": "A-1",
        "amount": "50.00",
        "revision": draft.revision,
    }
    client.post(f"{path}new/?kind=invoice", line)
    said = page(client, f"{path}?kind=invoice")
    assert "Agency, A-1" in said
    assert "900.00" not in said


def every_path() -> list[str]:
    """Every address of the pages, with 1 for what it names: the claim is put in by its test."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
        found: list[str] = []
        for one in patterns:
            text = before + str(one.pattern)
            found += walk(one.url_patterns, text) if isinstance(one, URLResolver) else [text]
        return found

    paths = [path for path in walk(get_resolver().url_patterns, "") if not path.startswith(("api/", "accounts/"))]
    return [path for path in paths if "(?P" not in path and "^" not in path]


FOR_ALL = {"", "healthz", "glossary/", "clock/", "styleguide/"}
OF_THE_READER = ("dates/", "notices/", "mails/", "account/notices/")  # they show what is the reader's own


def attacks(claim: Claim) -> list[str]:
    line, document = claim.lines.earliest("id"), claim.documents.earliest("id")
    ids = {"claim_id": claim.pk, "line_id": line.pk, "document_id": document.pk, "fund_id": claim.fund_id}

    def filled(path: str) -> str:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids.get(found[1], 1)), path)

    return [filled(path) for path in every_path() if path not in FOR_ALL and not path.startswith(OF_THE_READER)]


def test_every_other_address_is_closed_to_a_guest(sign_in: SignIn) -> None:
    claim = make_claim(make_fund(), "100.00")
    guest, invitation = guest_of(claim)
    own = {f"/claims/{claim.pk}/proof/", f"/tasks/{invitation.pk}/", f"/tasks/{invitation.pk}/done/"}
    client = sign_in(guest)
    leaks = []
    for path in attacks(claim):
        for send in (client.get, client.post):
            response = send(path)
            if path not in own and response.status_code not in (403, 404, 405):
                leaks.append((path, response.status_code))
    assert not leaks


def test_a_guest_reaches_nothing_of_a_claim_that_is_not_theirs_any_more(sign_in: SignIn) -> None:
    claim = make_claim(make_fund(), "100.00")
    other = make_claim(claim.fund, "50.00")
    guest, invitation = guest_of(claim)
    client = sign_in(guest)
    assert client.get(f"/claims/{claim.pk}/proof/").status_code == 200
    assert client.get(f"/claims/{other.pk}/proof/").status_code == 404
    revoke(invitation.pk, by=claim.created_by, at=clock.now())
    assert client.get(f"/claims/{claim.pk}/proof/").status_code == 404
    guest_of(claim)
    assert client.get(f"/claims/{claim.pk}/proof/").status_code == 200
    submit_claim(claim.pk, by=claim.created_by, at=clock.now())
    for method in (client.get, client.post):
        assert method(f"/claims/{claim.pk}/proof/").status_code == 404


def test_over_the_api_a_guest_reaches_the_own_documents_alone(draft: Claim) -> None:
    theirs = add_document(
        draft.pk, kind="call-script", filename="secret.pdf", data=PDF, by=draft.created_by, at=clock.now()
    )
    guest, _ = guest_of(draft)
    api = api_of(guest)
    documents = f"claims/{draft.pk}/documents/"
    mine = add_document(draft.pk, kind="call-log", filename="log.pdf", data=PDF + b"1", by=guest, at=clock.now())
    assert [row["id"] for row in api.get(documents)["results"]] == [str(mine.pk)]
    assert api.get(f"{documents}{theirs.pk}/").status == 404
    assert api.get(f"{documents}{theirs.pk}/content/").status == 404
    assert api.delete(f"{documents}{theirs.pk}/").status == 404
    for path in (f"claims/{draft.pk}/", f"claims/{draft.pk}/lines/", f"funds/{draft.fund_id}/"):
        assert api.get(path).status == 404, path
    for path in ("claims/", "funds/", "events/", "payments/", "plans/"):
        assert api.get(path)["results"] == [], path


# --- In-house work --------------------------------------------------------------------------------------------------------


WORK = {
    "rows": "2",
    "description": "Calls by our own team",
    "statement": "True.",
    "name_0": "Ana Ruiz",
    "role_0": "Caller",
    "first_day_0": "2024-03-01",
    "last_day_0": "2024-03-02",
    "hours_0": "7.5",
    "hourly_0": "41.33",
}


def test_in_house_work_is_described_signed_and_void_once_it_changes(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    new = f"/claims/{draft.pk}/work/new/"
    page(client, new)
    refused = client.post(new, {**WORK, "revision": draft.revision, "hours_0": "many"})
    assert refused.status_code == 400
    assert "Write the hours as a number above zero" in text_of(refused)
    assert client.post(new, {**WORK, "revision": draft.revision, "more": "1"}).status_code == 200
    client.post(new, {**WORK, "revision": draft.revision})
    client.post(new, {**WORK, "revision": draft.revision})  # the same click twice
    line = draft.lines.get()
    assert (line.cost_minor, line.amount_minor, line.supplier) == (30_998, 30_998, "Ana Ruiz")  # 7.5 x 41.33 = 309.975
    path = f"/claims/{draft.pk}/work/{line.pk}/"
    assert "309.98" in page(client, path)
    page(client, f"{path}sign/")
    draft.refresh_from_db()
    sign = {"revision": draft.revision, "certified": "on"}
    assert "Sign with your own name" in text_of(client.post(f"{path}sign/", {**sign, "name": "Somebody"}))
    client.post(f"{path}sign/", {**sign, "name": draft.created_by.name})
    document = draft.documents.get()
    assert (document.kind, document.signed_at, document.line_id) == ("csr", clock.now(), line.pk)
    assert document.sha256 in page(client, path)
    draft.refresh_from_db()
    response = client.post(path, {**WORK, "revision": draft.revision, "hours_0": "8"}, follow=True)
    assert "its signature is void" in text_of(response)
    assert not draft.documents.exists()


# --- Files used again -----------------------------------------------------------------------------------------------------


def test_whoever_asks_for_more_rows_has_done_nothing_wrong(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    response = client.post(f"/claims/{draft.pk}/work/new/", {"rows": "2", "name_0": "Ana Lopez", "more": "1"})
    said = text_of(response)
    assert "There is a problem" not in said
    assert "Person 4" in said
    assert 'value="Ana Lopez"' in response.content.decode()
    assert not draft.lines.exists()


def test_a_file_of_an_earlier_claim_is_used_again_without_sending_it(sign_in: SignIn) -> None:
    earlier = make_claim(make_fund(), "100.00")
    add_document(earlier.pk, kind="call-script", filename="spring.pdf", data=PDF, by=earlier.created_by, at=clock.now())
    draft = make_draft(earlier.fund)
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/reuse/?kind=call-script"
    said = page(client, path)
    assert said.index("spring.pdf") < said.index("proof.png")
    assert "proof.png" not in page(client, f"{path}&q=SPRING")
    source = earlier.documents.get(filename="spring.pdf")
    assert client.post(path, {}).status_code == 400
    for _ in range(2):
        client.post(path, {"document": source.pk})
    used = draft.documents.get()
    assert (used.reused_from, used.stored, used.filename) == (source, source.stored, "spring.pdf")
    stranger = make_draft(make_fund())
    assert (
        sign_in(stranger.created_by)
        .post(f"/claims/{stranger.pk}/reuse/?kind=call-script", {"document": source.pk})
        .status_code
        == 404
    )


# --- Words that are not lost ----------------------------------------------------------------------------------------------


def about(claim: Claim, **changes: object) -> dict[str, object]:
    return {
        "revision": claim.revision,
        "writer": claim.created_by_id,
        "activity": "telemarketing",
        "activity_from": "2024-03-01",
        "activity_to": "2024-03-02",
        "country": "US",
        "title": "Calls",
        **changes,
    }


def test_what_is_written_is_saved_as_far_as_it_can_be_and_the_rest_is_kept(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/about/"
    written = about(draft, title="New name", activity_from="soon")
    answer = client.post(path, written, headers={"X-Autosave": "1"}).json()
    assert answer["message"].startswith("Saved 09:00 UTC, but not “First day”")
    draft.refresh_from_db()
    assert (draft.title, answer["revision"]) == ("New name", draft.revision)
    again = client.get(path)
    assert 'value="soon"' in again.content.decode()
    assert "What you wrote before is back, and not saved yet" in text_of(again)
    client.post(path, about(draft, title="New name"))
    assert "What you wrote before" not in page(client, path)


def test_a_save_as_one_writes_never_puts_an_older_reading_over_a_newer(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    path = f"/claims/{draft.pk}/about/"
    assert client.post(path, about(draft, title="First"), headers={"X-Autosave": "1"}).status_code == 200
    answer = client.post(path, about(draft, title="Second"), headers={"X-Autosave": "1"})
    assert (answer.status_code, "both versions" in answer.json()["message"]) == (409, True)
    draft.refresh_from_db()
    assert draft.title == "First"


def test_words_survive_the_end_of_the_session_for_their_writer_alone(draft: Claim) -> None:
    client, path = Client(), f"/claims/{draft.pk}/about/"
    response = client.post(path, about(draft, title="Half an hour of work"))
    assert response["Location"] == f"/accounts/login/?next={path}"
    assert client.post(path, about(draft), headers={"X-Autosave": "1"}).status_code == 401
    assert "is kept, and back in its form then" in text_of(client.get(response["Location"]))
    other = Client()
    other.post(path, about(draft, title="Half an hour of work"))
    other.force_login(make_person(draft.partner))
    assert "Half an hour" not in other.get(path).content.decode()
    client.force_login(draft.created_by)
    assert 'value="Half an hour of work"' in client.get(path).content.decode()
    draft.refresh_from_db()
    client.post(path, about(draft, title="Half an hour of work"))
    draft.refresh_from_db()
    assert draft.title == "Half an hour of work"


def test_a_form_that_comes_twice_is_saved_once(sign_in: SignIn, draft: Claim) -> None:
    client = sign_in(draft.created_by)
    line = {"kind": "invoice", "supplier": "A", "invoice_number": "1", "amount": "5.00", "revision": draft.revision}
    for _ in range(2):
        assert client.post(f"/claims/{draft.pk}/lines/new/?kind=invoice", line).status_code == 302
    assert draft.lines.count() == 1
    draft.refresh_from_db()
    for _ in range(2):
        proof = {"revision": draft.revision, "file_call-log": upload("log.pdf")}
        assert client.post(f"/claims/{draft.pk}/proof/", proof).status_code == 302
    assert draft.documents.count() == 1
