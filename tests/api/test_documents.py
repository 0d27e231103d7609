"""Files and links of a claim: what is taken, what is refused, and how the bytes come back."""

from __future__ import annotations

import hashlib

from claims.models import Claim
from tests import factories
from tests.api.client import Answer, Api, api_of


def send(partner: Api, draft: Claim, file: bytes | None, name: str = "a.pdf", **fields: str) -> Answer:
    return partner.upload(f"claims/{draft.pk}/documents/", file, name, **{"kind": "invoice", **fields})


def test_the_bytes_come_back_as_they_were_and_are_only_saved(partner: Api, draft: Claim) -> None:
    line = str(draft.lines.get().pk)
    document = send(partner, draft, factories.PDF, "My invoice.pdf", line=line, note="The first")
    assert document.status == 201, document
    assert document["sha256"] == hashlib.sha256(factories.PDF).hexdigest()
    said = {name: document[name] for name in ("filename", "media_type", "size", "line", "note", "url")}
    assert said == {
        "filename": "My invoice.pdf",
        "media_type": "application/pdf",
        "size": len(factories.PDF),
        "line": line,
        "note": "The first",
        "url": "",
    }
    content = partner.get(f"claims/{draft.pk}/documents/{document['id']}/content/")
    assert content.content == factories.PDF
    assert content.headers["Content-Type"] == "application/pdf"
    assert content.headers["Content-Disposition"] == 'attachment; filename="My invoice.pdf"'
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert content.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_link_has_no_bytes(partner: Api, draft: Claim) -> None:
    link = partner.post(f"claims/{draft.pk}/documents/", {"kind": "invoice", "url": "https://x.example/i"})
    assert (link.status, link["url"]) == (201, "https://x.example/i")
    assert partner.get(f"claims/{draft.pk}/documents/{link['id']}/content/").status == 404


NO_DOCUMENTS = [
    (b"", "a.pdf", 400, "invalid"),
    (b"%PDF-" + b"x" * 10_485_760, "a.pdf", 413, "too_large"),
    (b"%PDF-" + b"x" * 11_000_000, "a.pdf", 413, "too_large"),
    (b"MZ\x90", "a.exe", 415, "unsupported_media_type"),
    (b"MZ\x90", "a.pdf", 415, "unsupported_media_type"),
    (b"<svg onload=alert(1)>", "a.svg", 415, "unsupported_media_type"),
    (b"<html>", "a.pdf.html", 415, "unsupported_media_type"),
    (b"\x00\x01", "a.txt", 415, "unsupported_media_type"),
    (b"PK\x03\x04", "a.zip", 415, "unsupported_media_type"),
    (b"%PDF-1", "noending", 415, "unsupported_media_type"),
]


def test_what_is_no_document_is_refused(partner: Api, draft: Claim) -> None:
    for file, name, status, code in NO_DOCUMENTS:
        before = draft.documents.count()
        answer = send(partner, draft, file, name)
        assert (answer.status, answer.code) == (status, code), answer
        assert draft.documents.count() == before


NAMES = [
    ("../../etc/passwd.pdf", "passwd.pdf"),
    ("..\\..\\boot.pdf", "boot.pdf"),
    ("a\x00b.pdf", "ab.pdf"),
    ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
    ("x" * 300 + ".pdf", None),
    ("a.PDF", "a.PDF"),
    ("-rf.pdf", "-rf.pdf"),
    ('"; filename="evil.pdf', None),
]


def test_a_name_is_only_shown_never_used(partner: Api, draft: Claim) -> None:
    for name, kept in NAMES:
        boundary = b"x7x7x7"
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"'.encode()
        raw = b"--%b\r\n%b\r\nContent-Type: text/html\r\n\r\n%b\r\n" % (boundary, head, factories.PDF)
        raw += b'--%b\r\nContent-Disposition: form-data; name="kind"\r\n\r\ninvoice\r\n--%b--\r\n' % (
            boundary,
            boundary,
        )
        kind = f"multipart/form-data; boundary={boundary.decode()}"
        answer = partner.post(f"claims/{draft.pk}/documents/", raw=raw, content_type=kind)
        assert answer.status in (201, 400), answer
        if kept:
            assert answer["filename"] == kept
        if answer.status == 201:
            assert len(answer["filename"]) <= 120
            assert answer["media_type"] == "application/pdf"
            stored = draft.documents.get(pk=answer["id"]).stored.file.name
            assert stored.startswith("documents/")
            assert "passwd" not in stored
            content = partner.get(f"claims/{draft.pk}/documents/{answer['id']}/content/")
            assert content.headers["Content-Disposition"].startswith("attachment")


def test_a_document_says_what_it_is(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/documents/"
    assert send(partner, draft, None).fields == {"file": "required"}
    assert send(partner, draft, factories.PDF, kind="holiday-photo").fields == {"kind": "invalid"}
    assert send(partner, draft, factories.PDF, line="999").fields == {"line": "not_found"}
    assert send(partner, draft, factories.PDF, colour="red").fields == {"colour": "unknown_field"}
    assert send(partner, draft, factories.PDF, url="https://x.example/").fields == {"url": "invalid"}
    for url in ("javascript:alert(1)", "x.example", "ftp://x.example/", "https://"):
        assert partner.post(path, {"kind": "invoice", "url": url}).fields == {"url": "invalid"}
    text = partner.post(path, {"kind": "invoice", "file": "text"})
    assert (text.status, text.fields) == (400, {"file": "invalid"})


def test_after_sending_nothing_changes(partner: Api, draft: Claim) -> None:
    document = draft.documents.order_by("id")[0].pk
    assert partner.post(f"claims/{draft.pk}/submit/").status == 200
    assert send(partner, draft, factories.PDF).code == "wrong_status"
    assert partner.delete(f"claims/{draft.pk}/documents/{document}/").code == "wrong_status"
    assert partner.patch(f"claims/{draft.pk}/", {"title": "x"}).code == "wrong_status"
    manager = api_of(factories.vendor("manager"))
    assert manager.get(f"claims/{draft.pk}/documents/{document}/content/").status == 200
    assert manager.get(f"claims/{draft.pk}/documents/", kind="invoice")["results"] != []


# --- Lines, results and decisions ---------------------------------------------------------------------------------------

INVOICE = {"kind": "invoice", "supplier": "Acme", "invoice_number": "A-1", "invoiced_on": "2024-03-02"}


AMOUNTS: list[tuple[object, str]] = [
    (12.5, "amount_format"),
    (12, "amount_format"),
    (True, "amount_format"),
    (None, "null"),
    ([], "amount_format"),
    ("", "amount_format"),
    ("1e2", "amount_format"),
    ("1_000", "amount_format"),
    ("1,000.00", "amount_format"),
    ("\uff11\uff12", "amount_format"),
    ("\u0661\u0662", "amount_format"),
    ("+5", "amount_format"),
    (".5", "amount_format"),
    ("5.", "amount_format"),
    (" 5", "amount_format"),
    ("$5", "amount_format"),
    ("NaN", "amount_format"),
    ("-0", "amount_format"),
    ("0", "must_be_positive"),
    ("-1.00", "must_be_positive"),
    ("1.005", "too_many_decimals"),
    ("9" * 12, "amount_format"),
    ("9" * 5_000, "amount_format"),
]


def test_an_amount_is_a_plain_decimal_string(partner: Api, draft: Claim) -> None:
    for amount, code in AMOUNTS:
        answer = partner.post(f"claims/{draft.pk}/lines/", {**INVOICE, "amount": amount})
        assert (answer.status, answer.fields) == (400, {"amount": code}), answer


DAYS = [
    "20240302",
    "2024-3-2",
    "2024-W09-6",
    "02/03/2024",
    "2024-02-30",
    "\u0662\u0660\u0662\u0664-\u0660\u0663-\u0660\u0662",
    "1999-12-31",
    "2101-01-01",
    5,
]


def test_a_day_is_written_in_one_way(partner: Api, draft: Claim) -> None:
    for day in DAYS:
        answer = partner.post(f"claims/{draft.pk}/lines/", {**INVOICE, "amount": "1.00", "invoiced_on": day})
        assert (answer.status, set(answer.fields)) == (400, {"invoiced_on"}), answer
        assert partner.patch(f"claims/{draft.pk}/", {"activity_from": day}).status == 400


def test_results_are_texts_or_whole_numbers_of_known_metrics(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/"
    assert partner.patch(path, {"metrics": {"calls": 250}})["metrics"]["calls"] == "250"
    assert partner.patch(path, {"metrics": {"calls": 2.5}}).fields == {"metrics.calls": "invalid"}
    assert partner.patch(path, {"metrics": {"calls": "many"}}).fields == {"metrics.calls": "invalid"}
    assert partner.patch(path, {"metrics": {"mood": "good"}}).fields == {"metrics.mood": "unknown_metric"}
    assert partner.patch(path, {"metrics": {"calls": "\u0000"}}).status == 400
    assert partner.patch(path, {"metrics": []}).fields == {"metrics": "not_an_object"}


def test_a_returned_claim_carries_its_fix_list_and_is_sent_again(partner: Api, manager: Api, draft: Claim) -> None:
    path, line = f"claims/{draft.pk}", str(draft.lines.get().pk)
    partner.post(f"{path}/submit/")
    assert manager.post(f"{path}/start_review/")["status"] == "in_review"
    assert manager.post(f"{path}/return/", {}).fields == {"fixes": "required"}
    returned = manager.post(
        f"{path}/return/",
        {
            "fixes": [{"field": "documents.call-log", "message": "The log ends on day one."}],
            "decisions": [{"id": line, "decision": "return", "reason": "Show the tax."}],
            "reason": "Nearly there.",
        },
    )
    assert (returned["status"], returned["whose_turn"]) == ("action_required", "partner")
    assert [(fix["field"], fix["message"]) for fix in returned["fixes"]] == [
        ("documents.call-log", "The log ends on day one."),
        ("", "Nearly there."),
        (f"lines.{line}", "Show the tax."),
    ]
    assert partner.get(f"{path}/lines/{line}/")["reason"] == "Show the tax."
    assert partner.patch(f"{path}/lines/{line}/", {"description": "With tax"}).status == 200
    assert partner.post(f"{path}/submit/")["status"] == "submitted"


def test_decisions_that_do_not_fit_are_refused_each_at_its_place(partner: Api, manager: Api, draft: Claim) -> None:
    partner.post(f"claims/{draft.pk}/submit/")
    line = str(draft.lines.get().pk)
    path = f"claims/{draft.pk}/approve/"
    said = [
        {"id": line, "decision": "approve_less", "approved_amount": "4000.01", "reason": "x"},
        {"id": line, "decision": "decline"},
    ]
    answer = manager.post(path, {"decisions": said})
    assert answer.fields == {
        "decisions.0.approved_amount": "invalid",
        "decisions.1.id": "duplicate",
        "decisions.1.reason": "required",
    }, answer
    wrong = [{"id": 1, "decision": "maybe", "approved_amount": 3}]
    assert manager.post(path, {"decisions": wrong}).fields == {
        "decisions.0.id": "not_text",
        "decisions.0.decision": "invalid_choice",
        "decisions.0.approved_amount": "amount_format",
    }
    assert manager.post(f"claims/{draft.pk}/reject/", {"reason": " "}).fields == {"reason": "required"}


def test_an_open_claim_shows_advice_and_a_sent_one_what_was_found(partner: Api, draft: Claim) -> None:
    path = f"claims/{draft.pk}/"
    assert [f["rule"] for f in partner.get(path)["findings"] if f["outcome"] != "passed"] == ["solution_area"]
    partner.patch(path, {"solution_area": "Azure"})
    assert {finding["outcome"] for finding in partner.get(path)["findings"]} == {"passed"}
    partner.patch(path, {"activity_to": "2024-07-01"})
    assert "failed" in {finding["outcome"] for finding in partner.get(path)["findings"]}
    shown = partner.get(path)
    assert (shown["submit_by"], shown["cure_by"]) == ("2024-08-15T00:00:00Z", "2024-09-29T00:00:00Z")
    assert shown["plan_activity"] is None
