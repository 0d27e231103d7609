"""Writing a plan and its activities. A draft may be incomplete; what is said must still be readable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from claims import states
from claims.models import Activity, Plan, PlanActivity
from claims.operations.drafting import offered_activity
from claims.operations.turns import last_act, require_fresh
from claims.permissions import WRITERS, require_plan_writer
from claims.queries.book import case_of, current_book
from claims.queries.plans import in_force, row_in, used_of
from claims.rules.answers import WANTED, is_result
from claims.rules.kinds.evidence import asked_metrics
from coop.lib.errors import FieldError, Invalid, NotFound, WrongStatus, require_fields
from coop.lib.text import COUNTRY, require_fit_text
from funds.ledger import lock_fund
from funds.models import Fund
from partners import events
from partners.models import Person
from partners.permissions import may_see, require_role

FIELDS = ("title", "people")
ACTIVITY_FIELDS = (
    "activity",
    "title",
    "solution_area",
    "country",
    "starts_on",
    "ends_on",
    "requested_minor",
    "expected_outcome",
    "answers",
)
ACTIVITY_TEXTS = ("title", "solution_area")
MAX_ACTIVITIES = 100


def lock_plan(plan_id: int, *, by: Person) -> Plan:
    """The plan with all its versions, locked after its fund: fund, plan, claim, everywhere.

    Raises NotFound, also for a plan that the person may not know of.
    """
    known = Plan.objects.visible_to(by).filter(id=plan_id).values_list("fund_id", flat=True).first()
    if known is None:
        raise NotFound("There is no such plan.")
    return lock_with_fund(plan_id, known)


def lock_with_fund(plan_id: int, fund_id: int) -> Plan:
    """The plan and its fund, locked in the order that everybody keeps; versions of a plan by their ids."""
    fund = lock_fund(fund_id)
    number = Plan.objects.values_list("number", flat=True).get(id=plan_id)
    versions = Plan.objects.select_related("partner").select_for_update(of=("self",), no_key=True).filter(number=number)
    plan = next(version for version in versions.order_by("id") if version.pk == plan_id)
    plan.fund = fund
    return plan


def lock_open_plan(plan_id: int, *, by: Person, revision: int | None) -> Plan:
    """A plan that the person may write in now. Raises NotFound, NotAllowed, Stale, WrongStatus."""
    plan = lock_plan(plan_id, by=by)
    require_plan_writer(by, plan)
    require_fresh(plan, revision, by=by)
    if not plan.is_open:
        hint = "Amend it to change it." if plan.status == states.APPROVED else ""
        if plan.status == states.SUBMITTED:
            hint = "Withdraw it to change it."
        said = f"Plan {plan} is {plan.status_name.lower()}, so nothing in it changes now. {hint}"
        raise WrongStatus(f"{said.strip()} {last_act(plan, by=by)}".strip())
    return plan


def touched(plan: Plan, verb: str, *, by: Person | None, at: datetime, acting_as: str = "", **data: Any) -> None:
    """Save a change of a plan: revision, event."""
    plan.revision += 1
    plan.save()
    said = {"number": plan.number, "version": plan.version, "revision": plan.revision, **data}
    events.record(verb, plan, by=by, at=at, partner_only=not plan.sendings, acting_as=acting_as, **said)


@transaction.atomic
def create_plan(*, fund_id: int, title: str = "", people: Iterable[int] = (), by: Person, at: datetime) -> Plan:
    """Begin a draft of a plan for one fund. `people` are ids of people of the own organisation who work on it.

    Nothing is reserved until it is approved. Raises NotFound (fund), NotAllowed, Invalid.
    """
    fund = Fund.objects.with_names().filter(id=fund_id).first()
    if fund is None or not may_see(by, fund.partner_id):
        raise NotFound("There is no such fund.")
    require_role(by, *WRITERS, to="write and send plans")
    require_fit_text({"title": title}, ["title"])
    plan = Plan(
        partner_id=fund.partner_id,
        fund=fund,
        title=title.strip() or f"Plan for {fund.earning_period.code}",
        currency=fund.currency,
        turn_since=at,
        created_by=by,
        created_at=at,
    )
    team = people_of(plan, people)
    plan.save()
    plan.people.set(team)
    events.record(
        "plan.created", plan, by=by, at=at, partner_only=True, number=plan.number, version=1, revision=plan.revision
    )
    return plan


@transaction.atomic
def update_plan(
    plan_id: int, changes: Mapping[str, Any], *, revision: int | None = None, by: Person, at: datetime
) -> Plan:
    """Change a draft's title or people. Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid."""
    plan = lock_open_plan(plan_id, by=by, revision=revision)
    require_fields(changes, FIELDS, "A plan")
    require_fit_text(changes, ["title"])
    if "title" in changes:
        plan.title = str(changes["title"]).strip()
        if not plan.title:
            raise Invalid.field("title", "Give the plan a name.", "required")
    if "people" in changes:
        plan.people.set(people_of(plan, changes["people"]))
    touched(plan, "plan.changed", by=by, at=at, fields=sorted(changes))
    return plan


def people_of(plan: Plan, ids: Iterable[int]) -> list[Person]:
    """The people with these ids, all of the plan's organisation. Raises Invalid."""
    wanted = sorted(set(ids))
    found = list(Person.objects.filter(id__in=wanted, partner_id=plan.partner_id, is_active=True))
    if len(found) != len(wanted):
        raise Invalid.field("people", "At least one of these people is not of your organisation.", "not_found")
    return found


# --- Activities -------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_activity(
    plan_id: int,
    *,
    activity_code: str,
    title: str = "",
    solution_area: str = "",
    country: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
    requested_minor: int = 0,
    expected_outcome: str = "",
    answers: Mapping[str, Any] | None = None,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> PlanActivity:
    """Add an activity to a draft. Raises NotFound, NotAllowed, Stale, WrongStatus, Invalid."""
    plan = lock_open_plan(plan_id, by=by, revision=revision)
    if plan.activities.count() >= MAX_ACTIVITIES:
        raise Invalid.field("activities", f"A plan holds at most {MAX_ACTIVITIES} activities. Begin another one.")
    activity = offered_activity(activity_code, plan.fund, starts_on)
    row = PlanActivity(
        plan=plan,
        activity=activity,
        title=title or activity.name,
        country=country or plan.fund.location.country,
        created_at=at,
    )
    said: dict[str, Any] = {"title": row.title, "country": row.country, "solution_area": solution_area}
    said |= {"starts_on": starts_on, "ends_on": ends_on}
    said |= {"requested_minor": requested_minor, "expected_outcome": expected_outcome, "answers": answers or {}}
    write_activity(row, said)
    row.save()
    touched(plan, "plan.activity_added", by=by, at=at, activity=str(row.pk))
    return row


@transaction.atomic
def change_activity(
    plan_id: int,
    activity_id: int,
    changes: Mapping[str, Any],
    *,
    revision: int | None = None,
    by: Person,
    at: datetime,
) -> PlanActivity:
    """Change an activity of an open plan; what was decided of it before is forgotten. Raises as `add_activity`."""
    plan = lock_open_plan(plan_id, by=by, revision=revision)
    row = activity_of(plan, activity_id)
    changes = dict(changes)
    require_fields(changes, ACTIVITY_FIELDS, "An activity of a plan")
    code = changes.pop("activity", None)
    if code is not None and code != row.activity.code:
        if row.follows_id is not None:
            raise Invalid.field(
                "activity", "It was approved as another activity. Take it out of the plan and add the new one.", "fixed"
            )
        row.activity = offered_activity(code, plan.fund, changes.get("starts_on", row.starts_on))
        row.answers = {}
    write_activity(row, changes)
    row.decision, row.approved_minor, row.reason, row.reason_code = "", None, "", ""
    row.save()
    touched(plan, "plan.activity_changed", by=by, at=at, activity=str(row.pk), fields=sorted(changes))
    return row


@transaction.atomic
def remove_activity(plan_id: int, activity_id: int, *, revision: int | None = None, by: Person, at: datetime) -> Plan:
    """Take an activity out of an open plan. Raises as `change_activity`; Invalid while claims are made on it."""
    plan = lock_open_plan(plan_id, by=by, revision=revision)
    row = activity_of(plan, activity_id)
    before = in_force(plan.number)
    used = used_of(old) if before and (old := row_in(row, before)) else 0
    if used:
        raise Invalid.field(
            "activity", f"Claims hold {plan.show(used)} of “{row.title}”, so it stays, with that much at least.", "used"
        )
    name = str(row.pk)
    row.delete()
    touched(plan, "plan.activity_removed", by=by, at=at, activity=name)
    return plan


def activity_of(plan: Plan, activity_id: int) -> PlanActivity:
    row = plan.activities.select_related("activity").filter(id=activity_id).first()
    if row is None:
        raise NotFound("There is no such activity in this plan.")
    return row


def write_activity(row: PlanActivity, changes: Mapping[str, Any]) -> None:
    """Take over what is said of an activity. Raises Invalid with all that cannot be."""
    require_fit_text(changes, ACTIVITY_TEXTS)
    answers = changes.get("answers")
    for name, value in changes.items():
        if name != "answers":
            setattr(row, name, value)
    errors = list(activity_faults(row))
    if answers is not None:
        said = {code: "" if value is None else str(value).strip()[:2000] for code, value in answers.items()}
        errors += answer_faults(row, said)
        row.answers = {**row.answers, **said}
    if errors:
        raise Invalid(errors=errors)


def activity_faults(row: PlanActivity) -> Iterable[FieldError]:
    if not row.title.strip():
        yield FieldError("title", "required", "Give the activity a name.")
    if not COUNTRY.fullmatch(row.country):
        yield FieldError("country", "invalid", f"“{row.country[:10]}” is not the code of a country, for example US.")
    if row.requested_minor < 0:
        yield FieldError("requested_amount", "must_be_positive", "Enter an amount above zero.")
    if row.starts_on and row.ends_on and row.ends_on < row.starts_on:
        yield FieldError("ends_on", "invalid", "The last day lies before the first one.")
    if len(row.expected_outcome) > 1000:
        yield FieldError("expected_outcome", "too_long", "Say it in at most 1,000 characters.")


def answer_faults(row: PlanActivity, answers: Mapping[str, str]) -> Iterable[FieldError]:
    """Answers that the activity does not ask for, or that are none."""
    asked = {metric.code: metric for metric in questions_of(row.plan, row.activity, row.country, row.starts_on)}
    for code, value in answers.items():
        if code not in asked:
            wanted = ", ".join(asked) or "none"
            message = f"{row.activity.name} asks for no result “{code[:40]}”. It asks for: {wanted}."
            yield FieldError(f"answers.{code}", "unknown_metric", message)
        elif value and not is_result(asked[code], value, row.plan.currency):
            yield FieldError(f"answers.{code}", "invalid", f"“{value[:60]}” is not {WANTED[asked[code].kind]}.")


def questions_of(plan: Plan, activity: Activity, country: str, day: date | None) -> list[Any]:
    book = current_book()
    return asked_metrics(book, case_of(plan.fund, activity, country, day or plan.fund.earning_period.use_from, book))
