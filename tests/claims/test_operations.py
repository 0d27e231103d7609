"""The verbs of a claim: which follow which status, who may, in which order refusals come, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from claims import states
from claims.models import Claim
from claims.operations import drafting
from claims.operations.documents import add_document, clean_name, remove_document
from claims.operations.drafting import add_line, change_line, create_claim, update_claim
from claims.operations.evidence import remove_line
from claims.operations.review import (
    Fix,
    LineDecision,
    approve_claim,
    mark_paid,
    reject_claim,
    return_claim,
    start_review,
)
from claims.operations.sending import due_to_lapse, lapse_claim, submit_claim, withdraw_claim
from claims.queries.book import metrics_asked
from coop.lib import clock
from coop.lib.errors import (
    InsufficientFunds,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    RuleFailed,
    SelfDecision,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    WindowClosed,
    WindowNotOpen,
    WrongStatus,
)
from funds.models import Entry, Fund, Payable
from partners.models import Event, Person
from tests import factories as make

pytestmark = pytest.mark.django_db


def given(by: Person) -> dict[str, Any]:
    return {"by": by, "at": clock.now()}


def manager() -> Person:
    return make.vendor("manager")


def returned(claim: Claim) -> Claim:
    return return_claim(claim.id, fixes=[Fix("lines", "Add the log.")], **given(manager()))


# --- The table of what may follow what ----------------------------------------------------------------------------------

# Each status, and how a claim comes to it.
WAYS: dict[str, Callable[[Fund], Claim]] = {
    "draft": make.make_claim,
    "submitted": make.make_sent_claim,
    "in_review": lambda fund: start_review(make.make_sent_claim(fund).id, **given(manager())),
    "action_required": lambda fund: returned(make.make_sent_claim(fund)),
    "approved": make.make_approved_claim,
    "rejected": lambda fund: reject_claim(make.make_sent_claim(fund).id, reason="No.", **given(manager())),
    "withdrawn": lambda fund: withdraw_claim((claim := make.make_sent_claim(fund)).id, **given(claim.created_by)),
    "paid": lambda fund: [make.make_approved_claim(fund), make.pay_all()] and Claim.objects.get(),
    "lapsed": lambda fund: (
        [
            claim := make.make_claim(fund),
            lapse_claim(claim.id, at=make.set_clock(make.DEADLINE)),
            make.set_clock(make.CLAIMING),  # back in the window, so that the status is what refuses
        ]
        and Claim.objects.get()
    ),
}

VERBS: dict[str, Callable[[Claim], Any]] = {
    "submit": lambda c: submit_claim(c.id, **given(c.created_by)),
    "withdraw": lambda c: withdraw_claim(c.id, **given(c.created_by)),
    "start_review": lambda c: start_review(c.id, **given(manager())),
    "return": lambda c: return_claim(c.id, fixes=[Fix("lines", "Add the log.")], **given(manager())),
    "approve": lambda c: approve_claim(c.id, **given(manager())),
    "reject": lambda c: reject_claim(c.id, reason="No.", **given(manager())),
    "pay": lambda c: mark_paid(c.id, c.approved_minor, **given(make.vendor("finance"))),
    "write": lambda c: update_claim(c.id, {"title": "Calls"}, **given(c.created_by)),
    "add a line": lambda c: add_line(c.id, kind="csr", amount_minor=1, **given(c.created_by)),
    "add a document": lambda c: add_document(c.id, kind="other", url="https://a.example/", **given(c.created_by)),
}
OPEN = {"draft", "action_required"}
ALLOWED: dict[str, set[str]] = {
    "submit": OPEN,
    "withdraw": {"draft", "submitted", "in_review", "action_required"},
    "start_review": {"submitted"},
    # Deciding starts the review by itself.
    "return": {"submitted", "in_review"},
    "approve": {"submitted", "in_review"},
    "reject": {"submitted", "in_review"},
    "pay": {"approved"},
    "write": OPEN,
    "add a line": OPEN,
    "add a document": OPEN,
}


@pytest.mark.parametrize("status", WAYS)
def test_from_each_status_only_the_listed_verbs_lead_on(fund: Fund, status: str) -> None:
    manager(), make.vendor("finance")
    WAYS[status](fund)
    claim = Claim.objects.with_names().get()
    assert claim.status == status
    before = (Entry.objects.count(), Event.objects.count())
    for verb, act in VERBS.items():
        if status in ALLOWED[verb]:
            continue
        with pytest.raises((WrongStatus, NotFound)) as caught:
            act(claim)
        if status not in ("draft", "lapsed"):  # the vendor does not know of a draft, nor of one that lapsed unsent
            assert isinstance(caught.value, WrongStatus), (verb, status)
            assert status.replace("_", " ") in caught.value.message or claim.status_name.lower() in caught.value.message
        claim.refresh_from_db()
        assert (claim.status, Entry.objects.count(), Event.objects.count()) == (status, *before), verb


@pytest.mark.parametrize(
    ("verb", "status"), [(verb, status) for verb, froms in ALLOWED.items() for status in sorted(froms)]
)
def test_each_listed_verb_succeeds_and_leaves_its_event(fund: Fund, verb: str, status: str) -> None:
    claim = Claim.objects.get(id=WAYS[status](fund).id)
    before, revision = Event.objects.count(), claim.revision
    VERBS[verb](claim)
    claim.refresh_from_db()
    assert claim.revision > revision
    assert Event.objects.count() > before
    assert claim.status in {*states.CLAIMS.get(verb, {}).values(), status} | {"rejected", "approved", "action_required"}


def test_every_status_of_a_claim_is_reached_here_or_not_built_yet() -> None:
    assert set(states.STATUSES) - set(WAYS) == {"disputed"}


# --- Sending ----------------------------------------------------------------------------------------------------------


def test_the_window_is_named_before_the_status(fund: Fund) -> None:
    """A late sender hears of the deadline also when a job has already lapsed the draft."""
    claim = make.make_claim(fund)
    make.set_clock(make.DEADLINE)
    with pytest.raises(WindowClosed):
        submit_claim(claim.id, **given(claim.created_by))
    assert due_to_lapse(clock.now()) == [claim.id]
    lapse_claim(claim.id, at=clock.now())
    with pytest.raises(WindowClosed, match="until 14 Aug 2024, 23:59:59 UTC"):
        submit_claim(claim.id, **given(claim.created_by))


def test_too_early_is_said_with_the_day_on_which_to_send(fund: Fund) -> None:
    claim = make.make_claim(fund)
    make.set_clock(make.IN_USE)
    with pytest.raises(WindowNotOpen, match="from 15 Feb 2024"):
        submit_claim(claim.id, **given(claim.created_by))


def test_an_old_instant_from_the_caller_does_not_open_a_window_that_is_closed(fund: Fund) -> None:
    claim = make.make_claim(fund)
    make.set_clock(make.DEADLINE)
    with pytest.raises(WindowClosed):
        submit_claim(claim.id, by=claim.created_by, at=make.LAST_INSTANT)


def test_all_failed_findings_come_together_and_nothing_is_held(fund: Fund) -> None:
    claim = make.make_draft(fund, activity_from=None, activity_to=None)
    with pytest.raises(RuleFailed) as caught:
        submit_claim(claim.id, **given(claim.created_by))
    failed = {finding["rule"].partition(".")[0] for finding in caught.value.findings if finding["outcome"] == "failed"}
    assert failed - {"money_there"} == {"use_period", "money_evidence", "proof_of_execution", "results"}
    assert not Entry.objects.filter(kind="hold").exists()


def test_when_only_money_is_missing_the_refusal_says_so(fund: Fund) -> None:
    claim = make.make_claim(fund, "10003.56")
    with pytest.raises(InsufficientFunds, match=r"Lower the lines by 0\.01 USD"):
        submit_claim(claim.id, **given(claim.created_by))


def test_sending_the_very_last_cent_leaves_nothing(fund: Fund) -> None:
    make.make_sent_claim(fund, "10003.55")
    fund.refresh_from_db()
    assert (fund.available_minor, fund.in_review_minor) == (0, 1_000_355)


def test_a_due_threshold_test_that_no_job_ran_is_run_by_the_sending() -> None:
    good, small = make.make_fund("25000.00", settled=False), make.make_fund("24999.98", settled=False)
    make.make_sent_claim(good, "1.00")
    good.refresh_from_db()
    assert good.settled_at == make.CLAIMING
    claim = make.make_claim(small, "1.00")
    with pytest.raises(InsufficientFunds):
        submit_claim(claim.id, **given(claim.created_by))


def test_a_returned_claim_holds_what_it_held_and_sent_again_holds_the_difference(fund: Fund) -> None:
    claim = returned(make.make_sent_claim(fund, "4000.00"))
    assert claim.held_minor == 400_000
    change_line(claim.id, claim.lines.get().id, {"amount_minor": 350_000}, **given(claim.created_by))
    claim = submit_claim(claim.id, **given(claim.created_by))
    assert (claim.held_minor, claim.claimed_minor, claim.sendings) == (350_000, 350_000, 2)
    claim = returned(claim)
    change_line(claim.id, claim.lines.get().id, {"amount_minor": 500_000}, **given(claim.created_by))
    claim = submit_claim(claim.id, **given(claim.created_by))
    fund.refresh_from_db()
    assert (claim.held_minor, fund.in_review_minor, fund.available_minor) == (500_000, 500_000, 500_355)


@pytest.mark.parametrize("jobs_ran", [True, False])
def test_in_the_cure_window_no_more_is_held_than_before_whether_or_not_a_job_ran(fund: Fund, jobs_ran: bool) -> None:
    claim = returned(make.make_sent_claim(fund, "4000.00"))
    make.set_clock(make.DEADLINE)
    if jobs_ran:
        make.expire()
    line = claim.lines.get()
    change_line(claim.id, line.id, {"amount_minor": 400_001}, **given(claim.created_by))
    with pytest.raises(InsufficientFunds, match=r"Lower the lines by 0\.01 USD"):
        submit_claim(claim.id, **given(claim.created_by))
    change_line(claim.id, line.id, {"amount_minor": 300_000}, **given(claim.created_by))
    assert submit_claim(claim.id, **given(claim.created_by)).held_minor == 300_000
    fund.refresh_from_db()
    assert fund.expired_minor == (700_355 if jobs_ran else 100_000)


# --- Revisions and people ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["submit", "withdraw", "update", "line", "document"])
def test_a_write_on_an_older_reading_is_refused(fund: Fund, verb: str) -> None:
    claim = make.make_claim(fund)
    old: dict[str, Any] = {"revision": claim.revision - 1, **given(claim.created_by)}
    acts: dict[str, Callable[[], Any]] = {
        "submit": lambda: submit_claim(claim.id, **old),
        "withdraw": lambda: withdraw_claim(claim.id, **old),
        "update": lambda: update_claim(claim.id, {"title": "x"}, **old),
        "line": lambda: add_line(claim.id, kind="csr", amount_minor=1, **old),
        "document": lambda: add_document(claim.id, kind="other", url="https://a.example/", **old),
    }
    with pytest.raises(Stale, match=f"revision {claim.revision - 1}"):
        acts[verb]()


@pytest.mark.parametrize("verb", ["start_review", "return", "approve", "reject"])
def test_nobody_of_the_partner_and_nobody_without_the_portfolio_decides(fund: Fund, verb: str) -> None:
    claim = make.make_sent_claim(fund)

    def decide(by: Person) -> Any:
        acts: dict[str, Callable[[], Any]] = {
            "start_review": lambda: start_review(claim.id, **given(by)),
            "return": lambda: return_claim(claim.id, fixes=[Fix("lines", "x")], **given(by)),
            "approve": lambda: approve_claim(claim.id, **given(by)),
            "reject": lambda: reject_claim(claim.id, reason="x", **given(by)),
        }
        return acts[verb]()

    for role in ("marketer", "partner_admin"):
        with pytest.raises(SelfDecision, match="their own organisation"):
            decide(make.make_person(fund.partner, role))
    for hidden in (
        make.make_person(fund.partner, "agency"),
        make.make_person(make.make_partner("Contoso"), "partner_admin"),
        make.make_person(role="channel_manager", portfolio=[]),
    ):
        with pytest.raises(NotFound):
            decide(hidden)
    for who in ("finance", "program", "auditor"):
        with pytest.raises(NotAllowed, match="channel manager"):
            decide(make.vendor(who))
    assert Claim.objects.get().status == "submitted"


def test_others_neither_write_nor_see_a_draft(fund: Fund) -> None:
    claim = make.make_claim(fund)
    people = [
        make.make_person(make.make_partner("Contoso")),
        make.make_person(fund.partner, "agency"),
        manager(),
        make.vendor("auditor"),
    ]
    for person in people:
        with pytest.raises(NotFound):
            submit_claim(claim.id, **given(person))
        with pytest.raises(Refused) as caught:
            create_claim(fund_id=fund.id, activity_code="telemarketing", **given(person))
        assert caught.value.code in ("not_found", "not_allowed")


# --- Deciding ---------------------------------------------------------------------------------------------------------


def test_a_claim_is_approved_by_line_and_the_rest_is_released(fund: Fund) -> None:
    claim = make.make_sent_claim(fund, "1000.00", "500.00", "250.00")
    first, second, third = claim.lines.all()
    decisions = [
        LineDecision(second.id, "approve_less", 40_000, "Beverages are left out."),
        LineDecision(third.id, "decline", reason="Not marketing."),
    ]
    claim = approve_claim(claim.id, decisions=decisions, **given(manager()))
    fund.refresh_from_db()
    assert (claim.approved_minor, claim.held_minor) == (140_000, 0)
    assert (fund.approved_minor, fund.in_review_minor, fund.available_minor) == (140_000, 0, 860_355)
    said = {line.id: (line.decision, line.approved_minor) for line in claim.lines.all()}
    assert said == {
        first.id: ("approve", 100_000),
        second.id: ("approve_less", 40_000),
        third.id: ("decline", 0),
    }
    assert Payable.objects.get().amount_minor == 140_000


@pytest.mark.parametrize(
    ("decision", "amount", "reason", "field", "code"),
    [
        ("maybe", None, "why", "decision", "invalid"),
        ("approve_less", 40_000, " ", "reason", "required"),
        ("decline", None, "", "reason", "required"),
        ("approve_less", None, "why", "approved_amount", "invalid"),
        ("approve_less", 0, "why", "approved_amount", "invalid"),
        ("approve_less", -1, "why", "approved_amount", "invalid"),
        ("approve_less", 400_000, "why", "approved_amount", "invalid"),
        ("approve_less", 400_001, "why", "approved_amount", "invalid"),
        ("approve", 100, "", "approved_amount", "invalid"),
        ("decline", 100, "why", "approved_amount", "invalid"),
    ],
)
def test_a_decision_that_does_not_fit_its_line_is_refused_at_its_field(
    fund: Fund, decision: str, amount: int | None, reason: str, field: str, code: str
) -> None:
    claim = make.make_sent_claim(fund)
    line = claim.lines.get()
    with pytest.raises(Invalid) as caught:
        approve_claim(claim.id, decisions=[LineDecision(line.id, decision, amount, reason)], **given(manager()))
    assert (f"decisions.0.{field}", code) in {(error.field, error.code) for error in caught.value.errors}
    claim.refresh_from_db()
    assert claim.status == "submitted"


def test_a_line_is_decided_once_and_only_lines_of_the_claim(fund: Fund) -> None:
    claim, other = make.make_sent_claim(fund), make.make_sent_claim(fund)
    line, stranger = claim.lines.get(), other.lines.get()
    decisions = [
        LineDecision(line.id, "approve"),
        LineDecision(line.id, "approve"),
        LineDecision(stranger.id, "approve"),
    ]
    with pytest.raises(Invalid) as caught:
        approve_claim(claim.id, decisions=decisions, **given(manager()))
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("decisions.1.id", "duplicate"),
        ("decisions.2.id", "not_found"),
    ]


def test_approving_nothing_or_a_line_that_is_to_be_returned_is_refused(fund: Fund) -> None:
    claim = make.make_sent_claim(fund)
    line = claim.lines.get()
    for decision in ("decline", "return"):
        with pytest.raises(Invalid):
            approve_claim(claim.id, decisions=[LineDecision(line.id, decision, reason="why")], **given(manager()))
    with pytest.raises(Invalid, match="at least one fix"):
        return_claim(claim.id, fixes=[Fix("lines", "  ")], **given(manager()))
    with pytest.raises(Invalid, match="Say why"):
        reject_claim(claim.id, reason=" ", **given(manager()))
    assert Claim.objects.get().status == "submitted"


def test_what_is_released_after_the_deadline_expires_at_once(fund: Fund) -> None:
    claims = [make.make_sent_claim(fund, "1000.00") for _ in range(3)]
    make.set_clock(make.DEADLINE)
    reject_claim(claims[0].id, reason="No.", **given(manager()))
    withdraw_claim(claims[1].id, **given(claims[1].created_by))
    line = claims[2].lines.get()
    approve_claim(claims[2].id, decisions=[LineDecision(line.id, "approve_less", 90_000, "x")], **given(manager()))
    fund.refresh_from_db()
    assert (fund.in_review_minor, fund.expired_minor, fund.approved_minor) == (0, 210_000, 90_000)


def test_a_claim_is_paid_at_what_was_approved_and_not_at_anything_else(fund: Fund) -> None:
    claim = make.make_approved_claim(fund)
    with pytest.raises(WrongStatus, match=r"4,000\.00 USD approved"):
        mark_paid(claim.id, 399_999, **given(make.vendor("finance")))


# --- Lapsing ----------------------------------------------------------------------------------------------------------


def test_a_draft_lapses_at_the_claim_deadline_and_a_returned_claim_at_the_cure_deadline(fund: Fund) -> None:
    draft, sent, back = make.make_claim(fund), make.make_sent_claim(fund), returned(make.make_sent_claim(fund, "10.00"))
    for at, due in (
        (make.LAST_INSTANT, []),
        (make.DEADLINE, [draft.id]),
        (make.CURE_DEADLINE - timedelta(microseconds=1), [draft.id]),
        (make.CURE_DEADLINE, [draft.id, back.id]),
    ):
        assert due_to_lapse(make.set_clock(at)) == due
    assert not lapse_claim(sent.id, at=clock.now())
    assert not lapse_claim(back.id, at=make.DEADLINE)
    assert lapse_claim(back.id, at=clock.now())
    assert not lapse_claim(back.id, at=clock.now())
    fund.refresh_from_db()
    assert (fund.in_review_minor, fund.expired_minor) == (400_000, 1_000)


# --- Drafts -----------------------------------------------------------------------------------------------------------


def test_only_the_open_fields_of_a_claim_and_a_line_are_changed(fund: Fund) -> None:
    claim = make.make_claim(fund)
    line = claim.lines.get()
    for changes in ({"status": "approved"}, {"held_minor": 5}, {"fund_id": 1}, {"nonsense": 1}):
        with pytest.raises(Invalid) as caught:
            update_claim(claim.id, changes, **given(claim.created_by))
        assert [error.code for error in caught.value.errors] == ["unknown_field"]
    for changes in ({"claim_id": 1}, {"approved_minor": 5}, {"decision": "approve"}):
        with pytest.raises(Invalid):
            change_line(claim.id, line.id, changes, **given(claim.created_by))


def test_a_result_that_is_nothing_is_not_the_word_none(fund: Fund) -> None:
    claim = make.make_draft(fund, "digital-advertising")
    code = metrics_asked(claim)[0].code
    claim = update_claim(claim.id, {"metrics": {code: None}}, **given(claim.created_by))
    assert claim.metrics == {code: ""}


def test_a_claim_holds_a_bounded_number_of_lines(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "MAX_LINES", 2)
    claim = make.make_draft(fund)
    for _ in range(2):
        make.add_invoice(claim, "10.00", document=False)
    with pytest.raises(Invalid, match="2 lines at most"):
        make.add_invoice(claim, "10.00", document=False)


def test_all_faults_of_a_line_come_together(fund: Fund) -> None:
    claim = make.make_draft(fund)
    with pytest.raises(Invalid) as caught:
        add_line(claim.id, kind="invoice", amount_minor=0, **given(claim.created_by))
    assert {(e.field, e.code) for e in caught.value.errors} == {
        ("amount", "must_be_positive"),
        ("supplier", "required"),
        ("invoice_number", "required"),
    }
    line = make.add_invoice(claim, "1.00")
    remove_line(claim.id, line.id, **given(claim.created_by))
    with pytest.raises(NotFound):
        remove_line(claim.id, line.id, **given(claim.created_by))


# --- Documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.pdf", make.PDF, "application/pdf"),
        ("a.PDF", make.PDF, "application/pdf"),
        ("a.png", make.PNG, "image/png"),
        ("a.txt", "Grüße".encode(), "text/plain"),
        ("a.csv", b"\xef\xbb\xbfa,b\n", "text/csv"),
    ],
)
def test_files_are_taken_by_ending_and_content_and_kept_as_they_came(
    fund: Fund, name: str, data: bytes, media_type: str
) -> None:
    claim = make.make_draft(fund)
    document = add_document(claim.id, kind="other", filename=name, data=data, **given(claim.created_by))
    assert (document.media_type, document.size, document.filename) == (media_type, len(data), name)
    with document.stored.file.open("rb") as stored:
        assert stored.read() == data
    assert name not in document.stored.file.name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", b"MZ"),
        ("a.pdf.exe", b"%PDF-1.7"),
        ("a.svg", b"<svg onload=alert(1)>"),
        ("a.html", b"<script>"),
        ("a", b"%PDF-1.7"),
        ("", b"%PDF-1.7"),
        ("a.pdf", b"<html>"),
        ("a.png", b"\xff\xd8\xff"),
        ("a.jpg", make.PNG),
        ("a.txt", b"\xff\xfe"),
        ("a.csv", b"a\x00b"),
        ("\u202efdp.exe", b"%PDF-1.7"),
        (".htaccess", b"x"),
    ],
)
def test_a_file_whose_name_and_content_do_not_agree_is_refused(fund: Fund, name: str, data: bytes) -> None:
    claim = make.make_draft(fund)
    with pytest.raises(UnsupportedMediaType, match="PDF, PNG, JPEG, HEIC, DOCX"):
        add_document(claim.id, kind="other", filename=name, data=data, **given(claim.created_by))


def test_an_empty_or_oversized_file_is_refused(fund: Fund, settings: Any) -> None:
    claim = make.make_draft(fund)
    settings.DOCUMENT_MAX_BYTES = len(make.PDF)
    add_document(claim.id, kind="other", filename="a.pdf", data=make.PDF, **given(claim.created_by))
    with pytest.raises(TooLarge):
        add_document(claim.id, kind="other", filename="a.pdf", data=make.PDF + b"6", **given(claim.created_by))
    with pytest.raises(Invalid, match="empty"):
        add_document(claim.id, kind="other", filename="a.pdf", data=b"", **given(claim.created_by))


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "ftp://a.example/", "//a.example", "https://", "https://[", "x", "https://a\n.example/"],
)
def test_an_address_is_a_full_one(fund: Fund, url: str) -> None:
    claim = make.make_draft(fund)
    with pytest.raises(Invalid) as caught:
        add_document(claim.id, kind="other", url=url, **given(claim.created_by))
    assert [error.field for error in caught.value.errors] == ["url"]


def test_a_document_says_what_it_is_and_belongs_to_a_line_of_its_claim(fund: Fund) -> None:
    claim, other = make.make_draft(fund), make.make_claim(fund)
    with pytest.raises(Invalid) as caught:
        add_document(claim.id, kind="selfie", line_id=other.lines.get().id, **given(claim.created_by))
    assert {error.field for error in caught.value.errors} == {"kind", "line", "file"}
    document = add_document(claim.id, kind="other", url="https://a.example/", **given(claim.created_by))
    with pytest.raises(NotFound):
        remove_document(other.id, document.id, **given(claim.created_by))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\x.pdf", "x.pdf"),
        ("C:\\Users\\mia\\invoice.pdf", "invoice.pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("\u202einvoice\u200b.pdf", "invoice.pdf"),
        ("x.pdf. ", "x.pdf"),
        ("x" * 300 + ".pdf", "x" * 100 + ".pdf"),
    ],
)
def test_the_name_that_people_see_is_harmless(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_removed_line_takes_its_file_along_so_that_it_backs_no_other_line(fund: Fund) -> None:
    claim = make.make_draft(fund)
    line = make.add_invoice(claim, "1.00")
    add_document(claim.id, kind="invoice", filename="a.pdf", data=make.PDF, line_id=line.id, **given(claim.created_by))
    remove_line(claim.id, line.id, **given(claim.created_by))
    assert not claim.documents.filter(kind="invoice").exists()


def test_a_claim_is_not_returned_when_nobody_could_mend_it_any_more(fund: Fund) -> None:
    claim = make.make_sent_claim(fund)
    make.set_clock(fund.earning_period.cure_close_at)
    manager = make.vendor("manager")
    with pytest.raises(WindowClosed, match="cannot be returned"):
        return_claim(claim.id, fixes=[Fix("", "The log is cut off.")], by=manager, at=clock.now())
