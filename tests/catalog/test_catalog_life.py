"""Loading, refusing and exporting the catalog; drafts of it, and who publishes them."""

from __future__ import annotations

import copy
import tomllib
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from claims.models import Activity, Publication, RuleDraft
from claims.operations import rule_drafts as drafts
from claims.operations.catalog import kept_form, load_catalog, load_if_new
from claims.queries.catalog import catalog_file, current_catalog, reasons_for, solution_areas_on
from claims.rules.book import Case, read_book
from claims.rules.changes import changes_between, what_changed
from coop.lib import clock
from coop.lib.errors import Invalid, NotAllowed, NotFound, SelfDecision, Stale, WrongStatus
from funds.models import Program
from partners.models import Event, Person
from tests.catalog.broken import row, rule
from tests.factories import CLAIMING, set_clock, shipped_catalog, vendor

pytestmark = pytest.mark.django_db
JULY = date(2027, 7, 1)
ADMIN, SECOND = "program", "program2"


@pytest.fixture(autouse=True)
def shipped() -> None:
    set_clock(CLAIMING)
    # One program and two years of it: the life of a catalog is the same, and loading is quick.
    load_catalog(small(), at=clock.now())


def small(**changes: Any) -> dict[str, Any]:
    catalog = copy.deepcopy(shipped_catalog())
    others = [program["code"] for program in catalog["programs"] if program["code"] != "hosting"]
    hosting = [program for program in catalog["programs"] if program["code"] == "hosting"]
    return {**catalog, "programs": hosting, "other_programs": others, "fiscal_years": [2024, 2024], **changes}


def who(name: str = ADMIN) -> dict[str, Any]:
    return {"by": vendor(name), "at": clock.now()}


# --- Loading ----------------------------------------------------------------------------------------------------------


def test_loading_the_shipped_catalog_twice_changes_nothing() -> None:
    before = list(Publication.objects.values())
    events = Event.objects.count()
    assert load_catalog(small(), at=clock.now()) == []
    assert list(Publication.objects.values()) == before
    assert Event.objects.count() == events


def test_the_whole_shipped_file_loads_twice_through_the_command() -> None:
    first, second = StringIO(), StringIO()
    call_command("load_catalog", stdout=first)
    call_command("load_catalog", stdout=second)
    assert "added program mci-csp-reseller" in first.getvalue()
    assert second.getvalue() == "catalog loaded: nothing changed\n"
    assert Program.objects.count() == 15


def test_a_broken_catalog_is_refused_whole_with_every_fault_and_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    broken = small()
    rule(broken, "limit.spiff", colour="red")
    row(broken, "activities", "spiff")["name"] = "Renamed"
    broken["programs"][0]["splits"][0]["coop_percent"] = "400"
    with pytest.raises(Invalid) as refused:
        load_catalog(broken, at=clock.now())
    assert [error.field for error in refused.value.errors] == [
        "programs.hosting.splits.0.coop_percent",
        "rules.limit.spiff/1.colour",
        "rules.limit.spiff/1",
    ]
    assert Activity.objects.get(code="spiff").name == "Internal incentives (SPIFF)"
    assert Publication.objects.count() == 1


def test_the_command_prints_each_fault_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    broken = small()
    broken["activities"][0]["name"] = ""
    broken["programs"][0]["currency"] = "ABC"
    file.write_text(catalog_file(broken, "broken"), encoding="utf-8")
    told = StringIO()
    with pytest.raises(CommandError, match="was not loaded: 2 faults"):
        call_command("load_catalog", str(file), stderr=told)
    lines = told.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["programs.hosting.currency", "activities.tv-radio.name"]


def test_a_changed_catalog_says_in_sentences_what_changed_and_who_published_it_stays_on_record() -> None:
    changed = small()
    rule(changed, "limit.syndicated-content", valid_to=date(2027, 6, 30))
    said = load_catalog(changed, by=vendor("program"), at=clock.now())
    assert said == [
        "Ends on 30 Jun 2027 for Syndicated content: “At most 18,750.00 USD, over all claims of one fund for the activity”."
    ]
    newest = Publication.objects.all()[0]
    assert (newest.said, newest.published_by, newest.requested_by) == (said, vendor("program"), None)


def test_a_version_that_was_published_is_refused_when_it_is_edited() -> None:
    edited = small()
    rule(edited, "invoice_date", params={"days_after_use": 50})
    with pytest.raises(Invalid) as refused:
        load_catalog(edited, at=clock.now())
    # The example says what came out at 45 days, so it fails as well.
    assert [error.field for error in refused.value.errors] == [
        "rules.invoice_date/1.examples.1",
        "rules.invoice_date/1",
    ]
    assert "give the change the next version, 2" in refused.value.errors[1].message


def test_the_file_of_a_release_is_loaded_once_and_never_takes_back_what_was_published_after_it() -> None:
    assert load_if_new(small(), at=clock.now()) == []
    later = small(reasons=small()["reasons"][:-1])
    load_catalog(later, at=clock.now())
    assert load_if_new(small(), at=clock.now()) == []
    assert len(current_catalog()["reasons"]) == len(later["reasons"])


def test_a_start_goes_on_with_the_rules_in_force_where_a_later_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("load_catalog", str(tmp_path / "missing.toml"), if_new=True)
    assert Publication.objects.count() == 1


# --- Exporting ----------------------------------------------------------------------------------------------------------


def test_export_and_load_lose_nothing_and_change_nothing(tmp_path: Path) -> None:
    call_command("load_catalog")
    file = tmp_path / "out.toml"
    call_command("export_catalog", str(file), stdout=StringIO())
    exported = tomllib.loads(file.read_text(encoding="utf-8"))
    assert kept_form(exported) == kept_form(shipped_catalog())
    before = Publication.objects.count()
    assert load_catalog(exported, at=clock.now()) == []
    assert Publication.objects.count() == before
    out = StringIO()
    call_command("export_catalog", stdout=out)
    assert out.getvalue() == file.read_text(encoding="utf-8")


def test_what_goes_out_has_days_as_days_and_codes_first() -> None:
    text = catalog_file(current_catalog(), "publication 1")
    assert '[[rules]]\ncode = "claim_window"\nversion = 1\nvalid_from = 2019-07-01\n' in text


# --- What others read of it ---------------------------------------------------------------------------------------------


def test_reasons_and_solution_areas_are_read_by_what_they_are_for() -> None:
    assert "over-limit" in dict(reasons_for("plan", "approve_less"))
    assert "no-approved-plan" not in dict(reasons_for("plan", "decline"))
    assert set(dict(reasons_for("claim", "dispute"))) >= {"new-evidence", "rule-misread"}
    assert dict(solution_areas_on(date(2025, 7, 1))) == {
        "security": "Security",
        "cloud-ai-platforms": "Cloud & AI Platforms",
        "ai-business-solutions": "AI Business Solutions",
    }


def test_what_counts_on_two_days_is_told_for_a_program() -> None:
    catalog = shipped_catalog()
    book = read_book(catalog)
    first, later = date(2023, 6, 30), date(2023, 7, 1)
    said = [c.sentence for c in what_changed(catalog, book, first, later, program="mci-csp-reseller")]
    assert any("call log" in sentence for sentence in said)
    later_said = [
        c.sentence for c in what_changed(catalog, book, date(2024, 6, 30), date(2024, 7, 1), program="mci-csp-reseller")
    ]
    assert "The category Partner Readiness is called Partner Skilling." in later_said
    assert "Trade shows counts as Demand Generation instead of Market Development." in later_said
    none = what_changed(catalog, book, first, first, program="mci-csp-reseller")
    assert none == []
    assert Case("", "", "", "", "", "", first).day == first


def test_the_difference_of_two_catalogs_reads_as_sentences() -> None:
    new = small()
    new["programs"][0]["splits"][0]["valid_to"] = date(2027, 6, 30)
    new["programs"][0]["splits"].append({"valid_from": JULY, "coop_percent": "45"})
    new["programs"][0]["plan_approval"] = "required"
    spiff = row(new, "activities", "spiff")
    spiff["categories"][0]["valid_to"] = date(2027, 6, 30)
    spiff["categories"].append({"category": "demand-generation", "valid_from": JULY})
    new["country_classes"][0]["members"] = [m for m in new["country_classes"][0]["members"] if m["country"] != "US"]
    assert [change.sentence for change in changes_between(small(), new)] == [
        "Program Hosting: the approval of plans is “required” instead of “optional”.",
        "Program Hosting: from 1 Jul 2027 on 45 % of an earning is co-op instead of 40 %.",
        "From 1 Jul 2027 on Internal incentives (SPIFF) counts as Demand Generation instead of Market Development.",
        "From 1 Jul 2019 on United States is no more in Class A.",
    ]


# --- Drafts -------------------------------------------------------------------------------------------------------------


def later_invoices(days: int = 30) -> dict[str, Any]:
    known = copy.deepcopy(next(r for r in current_catalog()["rules"] if r["code"] == "invoice_date"))
    known.pop("examples")
    examples = [
        {"outcome": "passed", "facts": {}},
        {"outcome": "failed", "facts": {"invoiced_on": "2023-12-31", "day": "2024-03-01"}},
    ]
    sentence = f"The invoice must be dated inside the use period or at most {days} days after it."
    return {**known, "params": {"days_after_use": days}, "examples": examples, "sentence": sentence}


def begun(title: str = "FY28", days: int = 30) -> RuleDraft:
    draft = drafts.begin_draft(title=title, **who())
    row_ = {**later_invoices(days)}
    row_["examples"] = [
        {"outcome": "passed", "facts": {}},
        {"outcome": "failed", "facts": {"invoiced_on": "2026-12-31"}},
    ]
    return drafts.change_rule(draft.id, row_, from_day=JULY, **who())


def test_changing_a_rule_from_a_day_on_closes_the_old_version_the_day_before() -> None:
    draft = begun()
    versions = [r for r in draft.catalog["rules"] if r["code"] == "invoice_date"]
    assert [(r["version"], r["valid_from"], r.get("valid_to")) for r in versions] == [
        (1, "2019-07-01", "2027-06-30"),
        (2, "2027-07-01", None),
    ]
    again = drafts.change_rule(draft.id, later_invoices(20), from_day=JULY, **who())
    assert len([r for r in again.catalog["rules"] if r["code"] == "invoice_date"]) == 2


def test_a_second_person_publishes_and_the_rules_are_in_force() -> None:
    draft = begun()
    drafts.request_publication(draft.id, note="As agreed.", **who())
    with pytest.raises(SelfDecision):
        drafts.publish_draft(draft.id, **who())
    published = drafts.publish_draft(draft.id, **who(SECOND))
    assert (published.requested_by, published.published_by) == (vendor(ADMIN), vendor(SECOND))
    assert len(published.said) == 1
    assert published.said[0].startswith("Changed from 1 Jul 2027 on:")
    assert current_catalog() == published.catalog
    draft.refresh_from_db()
    assert (draft.status, draft.publication) == ("published", published)
    verbs = list(
        Event.objects.filter(verb__in=["catalog.published", "rule_draft.published"]).values_list("vendor_only")
    )
    assert verbs == [(True,), (True,)]


def test_who_wrote_in_a_draft_last_does_not_publish_it_whoever_asked() -> None:
    draft = begun()
    newest = next(one for one in draft.catalog["rules"] if one["code"] == "invoice_date" and one["version"] == 2)
    drafts.change_rule(draft.id, {**newest, "sentence": "Within 30 days."}, from_day=JULY, **who(SECOND))
    drafts.request_publication(draft.id, **who())
    with pytest.raises(SelfDecision, match="You wrote in this draft last"):
        drafts.publish_draft(draft.id, **who(SECOND))
    with pytest.raises(NotAllowed, match="Send the draft back"):
        drafts.take_back(draft.id, **who(SECOND))
    drafts.send_back(draft.id, note="I changed it after you.", **who(SECOND))
    drafts.request_publication(draft.id, **who(SECOND))
    assert drafts.publish_draft(draft.id, **who()).published_by == vendor(ADMIN)


def test_the_database_itself_refuses_one_person_for_both() -> None:
    asked = {"requested_by": vendor(ADMIN), "published_by": vendor(ADMIN), "published_at": clock.now()}
    with pytest.raises(IntegrityError, match="nobody_publishes_what_they_asked_for"), transaction.atomic():
        Publication.objects.create(catalog={}, sha256="x", **asked)
    draft = drafts.request_publication(begun().id, **who())
    with pytest.raises(IntegrityError, match="decided_by_a_second_person"), transaction.atomic():
        RuleDraft.objects.filter(id=draft.id).update(decided_by=vendor(ADMIN))


def test_a_published_catalog_is_never_changed_or_deleted() -> None:
    for statement in ("UPDATE claims_publication SET note = 'x'", "DELETE FROM claims_publication"):
        with pytest.raises(Exception, match="append"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_draft_is_sent_back_with_a_reason_and_can_be_asked_for_again() -> None:
    draft = drafts.request_publication(begun().id, **who())
    with pytest.raises(Invalid):
        drafts.send_back(draft.id, note=" ", **who(SECOND))
    sent = drafts.send_back(draft.id, note="Thirty days are too few.", **who(SECOND))
    assert (sent.status, sent.note) == ("draft", "Thirty days are too few.")
    assert drafts.request_publication(draft.id, **who()).requested_by == vendor(ADMIN)
    assert drafts.publish_draft(draft.id, **who(SECOND)).published_by == vendor(SECOND)


def test_a_draft_with_faults_is_not_asked_for_and_says_them_all() -> None:
    draft = begun()
    rows = later_invoices()
    rows["examples"] = []
    drafts.change_rule(draft.id, rows, from_day=JULY, **who())
    drafts.end_rule(draft.id, "money_evidence", last_day=date(2027, 6, 30), **who())
    with pytest.raises(Invalid) as refused:
        drafts.request_publication(draft.id, **who())
    assert {error.code for error in refused.value.errors} == {"example_missing", "gap"}
    assert RuleDraft.objects.get(id=draft.id).status == "draft"


def test_a_draft_of_an_older_publication_is_stale_until_it_is_renewed() -> None:
    mine, theirs = begun("Mine"), drafts.begin_draft(title="Theirs", **who(SECOND))
    drafts.end_rule(theirs.id, "limit.syndicated-content", last_day=date(2027, 6, 30), **who(SECOND))
    drafts.request_publication(theirs.id, **who(SECOND))
    published = drafts.publish_draft(theirs.id, **who())
    with pytest.raises(Stale, match=f"Publication {published.pk} came out"):
        drafts.request_publication(mine.id, **who())
    renewed = drafts.renew_draft(mine.id, **who())
    assert renewed.base == published
    assert [c.code for c in changes_between(published.catalog, renewed.catalog)] == ["invoice_date"]
    drafts.request_publication(mine.id, **who())
    assert drafts.publish_draft(mine.id, **who(SECOND)).pk > published.pk


@pytest.mark.django_db(transaction=True)
def test_of_two_drafts_published_at_once_one_is_told_that_it_is_stale() -> None:
    first, second = begun("First", 30), begun("Second", 20)
    for draft in (first, second):
        drafts.request_publication(draft.id, **who())
    together, refused = Barrier(2), []

    def publish(draft_id: int, by: Person, at: datetime) -> None:
        together.wait(10)
        try:
            drafts.publish_draft(draft_id, by=by, at=at)
        except Stale as stale:
            refused.append(stale)
        finally:
            connection.close()

    threads = [Thread(target=publish, args=(d.id, vendor(SECOND), clock.now())) for d in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1
    assert Publication.objects.count() == 2
    assert sorted(RuleDraft.objects.values_list("status", flat=True)) == ["published", "requested"]


def test_two_drafts_that_change_the_same_rule_are_not_put_together_by_themselves() -> None:
    mine, theirs = begun("Mine", 30), begun("Theirs", 20)
    drafts.request_publication(theirs.id, **who())
    drafts.publish_draft(theirs.id, **who(SECOND))
    with pytest.raises(Invalid, match="changed the same: invoice_date"):
        drafts.renew_draft(mine.id, **who())


def test_a_change_can_be_taken_back_and_a_new_rule_added() -> None:
    draft = begun()
    assert drafts.restore_rule(draft.id, "invoice_date", **who()).catalog["rules"] == draft.base.catalog["rules"]
    with pytest.raises(Invalid, match="changes nothing"):
        drafts.request_publication(draft.id, **who())
    fresh = {
        "code": "limit.seminar",
        "sentence": "At most 500.00 USD.",
        "valid_from": "2027-07-01",
        "activities": ["seminar"],
        "params": {"amount": "500.00", "currency": "USD"},
        "examples": [
            {"outcome": "passed", "facts": {"claimed": "500.00"}},
            {"outcome": "failed", "facts": {"claimed": "500.01"}},
        ],
    }
    with pytest.raises(Invalid) as refused:
        drafts.add_rule(draft.id, {**fresh, "activities": ["moon"], "params": {"amount": "5"}}, **who())
    assert {error.field for error in refused.value.errors} == {"activities", "params.amount"}
    drafts.add_rule(draft.id, fresh, **who())
    with pytest.raises(Invalid, match="already"):
        drafts.add_rule(draft.id, fresh, **who())
    drafts.request_publication(draft.id, **who())


def test_only_program_admins_write_drafts_and_partners_know_of_none() -> None:
    draft = begun()
    with pytest.raises(NotAllowed):
        drafts.begin_draft(title="Mine", **who("finance"))
    with pytest.raises(NotAllowed):
        drafts.discard_draft(draft.id, **who("auditor"))
    with pytest.raises(NotFound):
        drafts.discard_draft(10_000, **who())
    with pytest.raises(Stale):
        drafts.discard_draft(draft.id, revision=1, **who())
    drafts.discard_draft(draft.id, **who())
    with pytest.raises(WrongStatus):
        drafts.request_publication(draft.id, **who())


def test_a_draft_takes_a_whole_file_and_refuses_a_broken_one() -> None:
    draft = drafts.begin_draft(title="Splits", **who())
    edited = small()
    edited["programs"][0]["splits"][0]["valid_to"] = date(2027, 6, 30)
    edited["programs"][0]["splits"].append({"valid_from": JULY, "coop_percent": "45"})
    drafts.replace_catalog(draft.id, edited, **who())
    edited["programs"][0]["splits"][1]["coop_percent"] = "fifty"
    with pytest.raises(Invalid):
        drafts.replace_catalog(draft.id, edited, **who())
    drafts.request_publication(draft.id, **who())
    drafts.publish_draft(draft.id, **who(SECOND))
    assert list(
        Program.objects.get(code="hosting").splits.order_by("valid_from").values_list("coop_bp", flat=True)
    ) == [
        4_000,
        4_500,
    ]
    assert isinstance(clock.now(), datetime)
