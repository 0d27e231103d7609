"""Changing the rules in the product: a draft is written, asked to be published by one person, and published by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from claims.models import Publication, RuleDraft
from claims.operations.catalog import all_faults, kept_form, lock_publications, number_of, publish
from claims.rules.drafts import Row, change_from, close_rule, merged, put_rule, restored
from claims.rules.faults.rules import faults_of_rule
from coop.lib.dates import show_instant
from coop.lib.errors import Invalid, NotAllowed, NotFound, SelfDecision, Stale, WrongStatus, check_revision
from partners import events
from partners.models import Event, Person
from partners.permissions import require_role
from partners.states import PROGRAM_ADMIN

DRAFT, REQUESTED, PUBLISHED, DISCARDED = "draft", "requested", "published", "discarded"
WRITING = tuple(
    f"rule_draft.{verb}" for verb in ("rule_changed", "rule_added", "rule_ended", "rule_restored", "file_taken")
)


@transaction.atomic
def begin_draft(*, title: str, by: Person, at: datetime) -> RuleDraft:
    """Begin a draft from the catalog in force. Raises NotAllowed, WrongStatus, Invalid."""
    require_admin(by)
    if not title.strip() or len(title) > 200:
        raise Invalid.field("title", "Say in a few words what is to change, at most 200 characters.", "required")
    base = in_force()
    draft = RuleDraft.objects.create(title=title.strip(), base=base, catalog=base.catalog, created_by=by, created_at=at)
    note("rule_draft.begun", draft, by=by, at=at)
    return draft


@transaction.atomic
def change_rule(
    draft_id: int, row: Row, *, from_day: date, revision: int | None = None, by: Person, at: datetime
) -> RuleDraft:
    """Change a rule from a day on: its newest version ends on the day before, and `row` (a whole rule) is the next one.

    A version that only this draft has is replaced instead. Raises Invalid with what does not read as a rule.
    """
    draft = lock_to_write(draft_id, revision, by=by)
    draft.catalog = change_from(draft.catalog, kept_form(row), from_day, published=draft.base.catalog)
    require_rule(draft, row["code"])
    return save(draft, "rule_draft.rule_changed", by=by, at=at, rule=row["code"])


@transaction.atomic
def add_rule(draft_id: int, row: Row, *, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Add a new rule, as its first version. Raises Invalid, also where its code is taken."""
    draft = lock_to_write(draft_id, revision, by=by)
    if any(known["code"] == row.get("code") for known in draft.catalog["rules"]):
        raise Invalid.field("code", f"There is a rule {row['code']} already. Change that one, or take another code.")
    draft.catalog = put_rule(draft.catalog, {**kept_form(row), "version": 1})
    require_rule(draft, str(row.get("code")))
    return save(draft, "rule_draft.rule_added", by=by, at=at, rule=row["code"])


@transaction.atomic
def end_rule(
    draft_id: int, code: str, *, last_day: date, revision: int | None = None, by: Person, at: datetime
) -> RuleDraft:
    """Let a rule end on a day, with nothing after it. Raises NotFound, Invalid."""
    draft = lock_to_write(draft_id, revision, by=by)
    require_known(draft, code)
    draft.catalog = close_rule(draft.catalog, code, last_day)
    require_rule(draft, code)
    return save(draft, "rule_draft.rule_ended", by=by, at=at, rule=code)


@transaction.atomic
def restore_rule(draft_id: int, code: str, *, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Take back what this draft changed of a rule. Raises NotFound."""
    draft = lock_to_write(draft_id, revision, by=by)
    require_known(draft, code)
    draft.catalog = restored(draft.catalog, code, draft.base.catalog)
    return save(draft, "rule_draft.rule_restored", by=by, at=at, rule=code)


@transaction.atomic
def replace_catalog(
    draft_id: int, catalog: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> RuleDraft:
    """Put a whole catalog, as a file says it, in the place of the draft's. Raises Invalid with all its faults."""
    draft = lock_to_write(draft_id, revision, by=by)
    draft.catalog = kept_form(catalog)
    faults = all_faults(draft.catalog, draft.base)
    if faults:
        raise Invalid(f"The catalog has {number_of(faults)}; the draft is as it was.", errors=faults)
    return save(draft, "rule_draft.file_taken", by=by, at=at)


@transaction.atomic
def renew_draft(draft_id: int, *, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Put the draft's changes on the catalog that is in force now. Raises Invalid where both changed the same."""
    draft = lock_to_write(draft_id, revision, by=by)
    newest = in_force()
    if newest.pk == draft.base_id:
        raise WrongStatus("The draft rests on the catalog in force already.")
    catalog, both = merged(draft.base.catalog, draft.catalog, newest.catalog)
    if both:
        raise Invalid.field(
            "rules",
            f"Publication {newest.pk} changed the same: {', '.join(both)}. Take these changes back in the draft, renew it, "
            "and make them again.",
        )
    draft.catalog, draft.base = catalog, newest
    return save(draft, "rule_draft.renewed", by=by, at=at, base=newest.pk)


@transaction.atomic
def request_publication(
    draft_id: int, *, note: str = "", revision: int | None = None, by: Person, at: datetime
) -> RuleDraft:
    """Ask a second person to publish the draft. Raises Stale where its base is not in force, Invalid with every fault."""
    draft = lock_to_write(draft_id, revision, by=by)
    require_base_in_force(draft)
    require_publishable(draft)
    draft.status, draft.requested_by, draft.requested_at, draft.note = REQUESTED, by, at, note.strip()[:1000]
    draft.decided_by = draft.decided_at = None
    return save(draft, "rule_draft.requested", by=by, at=at)


@transaction.atomic
def publish_draft(draft_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Publication:
    """Publish a draft that somebody else asked to be published; its rules are in force from then on.

    Whoever wrote in it last does not publish it either. Raises NotAllowed, SelfDecision, Stale, WrongStatus, Invalid.
    """
    draft = lock(draft_id, revision, by=by)
    require_status(draft, REQUESTED)
    require_another(draft, by)
    require_reader(draft, by)
    lock_publications()
    require_base_in_force(draft)
    publication, _ = publish(
        draft.catalog, requested_by=draft.requested_by, published_by=by, note=draft.title[:500], at=at
    )
    draft.status, draft.publication, draft.decided_by, draft.decided_at = PUBLISHED, publication, by, at
    save(draft, "rule_draft.published", by=by, at=at, publication=publication.pk)
    return publication


@transaction.atomic
def send_back(draft_id: int, *, note: str, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Give a draft back to be changed, with a reason. Raises as `publish_draft`, and Invalid without a reason."""
    draft = lock(draft_id, revision, by=by)
    require_status(draft, REQUESTED)
    require_another(draft, by)
    if not note.strip():
        raise Invalid.field("note", "Say what should be changed before this is published.", "required")
    draft.status, draft.note, draft.decided_by, draft.decided_at = DRAFT, note.strip()[:1000], by, at
    return save(draft, "rule_draft.sent_back", by=by, at=at)


@transaction.atomic
def take_back(draft_id: int, *, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Take back one's own request, to go on writing; others send it back. Raises NotAllowed, WrongStatus."""
    draft = lock(draft_id, revision, by=by)
    require_status(draft, REQUESTED)
    if draft.requested_by_id != by.pk:
        raise NotAllowed(
            f"{draft.requested_by} asked for this publication. Send the draft back, with a reason, instead."
        )
    draft.status, draft.requested_by, draft.requested_at = DRAFT, None, None
    return save(draft, "rule_draft.taken_back", by=by, at=at)


@transaction.atomic
def discard_draft(draft_id: int, *, revision: int | None = None, by: Person, at: datetime) -> RuleDraft:
    """Give a draft up; it stays to be read. Raises NotAllowed, WrongStatus."""
    draft = lock(draft_id, revision, by=by)
    require_status(draft, DRAFT)
    draft.status = DISCARDED
    return save(draft, "rule_draft.discarded", by=by, at=at)


# --- What the verbs share ---------------------------------------------------------------------------------------------


def require_admin(by: Person) -> None:
    require_role(by, PROGRAM_ADMIN, to="change the rules")


def in_force() -> Publication:
    newest = Publication.objects.order_by("-id").first()
    if newest is None:
        raise WrongStatus("No rules are published yet. Somebody who runs this installation loads the catalog first.")
    return newest


def lock(draft_id: int, revision: int | None, *, by: Person) -> RuleDraft:
    """The draft, locked. Raises NotFound, NotAllowed, Stale."""
    found = RuleDraft.objects.select_for_update(of=("self",)).select_related("base").filter(id=draft_id).first()
    if found is None or not by.is_vendor:
        raise NotFound("There is no such draft.")
    require_admin(by)
    check_revision(revision, found.revision)
    return found


def lock_to_write(draft_id: int, revision: int | None, *, by: Person) -> RuleDraft:
    draft = lock(draft_id, revision, by=by)
    require_status(draft, DRAFT)
    return draft


def require_status(draft: RuleDraft, status: str) -> None:
    if draft.status != status:
        wanted = {DRAFT: "a draft that is being written", REQUESTED: "one that somebody asked to be published"}
        raise WrongStatus(f"The draft “{draft.title}” is {draft.status}; this is possible with {wanted[status]}.")


def require_another(draft: RuleDraft, by: Person) -> None:
    if draft.requested_by_id == by.pk:
        raise SelfDecision("You asked for this publication, so another program admin decides on it.")


def require_reader(draft: RuleDraft, by: Person) -> None:
    written = Event.objects.about("rule_draft", draft.pk).filter(verb__in=WRITING)
    if written.values_list("actor_id", flat=True).first() == by.pk:
        raise SelfDecision(
            "You wrote in this draft last, so another program admin publishes it. Send it back, and ask for it yourself."
        )


def require_base_in_force(draft: RuleDraft) -> None:
    newest = in_force()
    if newest.pk != draft.base_id:
        raise Stale(
            f"Publication {newest.pk} came out on {show_instant(newest.published_at)}, after this draft was begun from "
            f"publication {draft.base_id}. Renew the draft: its changes are put on the newer catalog."
        )


def require_publishable(draft: RuleDraft) -> None:
    if draft.catalog == draft.base.catalog:
        raise Invalid.field("rules", "The draft changes nothing yet. Change a rule first.", "required")
    faults = all_faults(draft.catalog, draft.base)
    if faults:
        raise Invalid(f"The draft has {number_of(faults)}. Mend what is wrong first.", errors=faults)


def require_known(draft: RuleDraft, code: str) -> None:
    if not any(row["code"] == code for row in draft.catalog["rules"]):
        raise NotFound(f"There is no rule {code} in this draft.")


def require_rule(draft: RuleDraft, code: str) -> None:
    """Refuse what does not read as a rule. What is wrong between rules may stand in a draft until it is to be published."""
    faults = faults_of_rule(draft.catalog, code)
    if faults:
        raise Invalid(errors=faults)


def save(draft: RuleDraft, verb: str, *, by: Person, at: datetime, **data: Any) -> RuleDraft:
    draft.revision += 1
    draft.save()
    note(verb, draft, by=by, at=at, **data)
    return draft


def note(verb: str, draft: RuleDraft, *, by: Person, at: datetime, **data: Any) -> None:
    events.record(verb, draft, by=by, at=at, vendor_only=True, title=draft.title, **data)
