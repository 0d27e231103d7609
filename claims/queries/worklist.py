"""The channel manager's worklist: claims, plans and disputes that wait for a decision, in one order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, Sum

from claims import priority, states
from claims.due import due_day, review_due
from claims.models import Claim, Plan
from claims.priority import CLAIM, DISPUTE, PLAN, Waiting
from claims.queries.vendor import UNDECIDED, open_duplicates
from claims.rules import FAILED, PERSON, WARNING
from coop.lib import money
from coop.lib.dates import show_day
from funds.queries.deadlines import closes_at, cures_at
from partners.models import Delegation, Person

VIEWS = {
    "": "Everybody's",
    "mine": "In my review",
    "new": "Not started",
    "overdue": "Overdue",
    "disputes": "Disputes",
    "plans": "Plans",
    "covered": "Covered for somebody",
}
NEAR_DAYS = 14


@dataclass(frozen=True)
class Row:
    """One thing that waits, as the order and the views need it."""

    waiting: Waiting
    currency: str
    partner_id: int
    partner: str
    program_id: int
    program: str
    named: str  # number and title, in one case, to be looked through
    started: bool
    reviewer_id: int | None
    not_for: int | None  # who decided first, and so not again
    due_at: datetime | None

    @property
    def key(self) -> tuple[str, int]:
        return (self.waiting.kind, self.waiting.claim_id)

    def is_free_for(self, person: Person) -> bool:
        """Whether nobody else has it, and the person may decide it."""
        return self.not_for != person.pk and (not self.started or self.reviewer_id in (None, person.pk))


@dataclass(frozen=True)
class Item:
    """One row of the worklist as its page shows it. `record` is the claim or the plan."""

    kind: str
    record: Claim | Plan
    amount: str
    risk: str
    near: bool
    age_days: int
    due_on: date
    overdue: bool
    flags: list[str]


@dataclass(frozen=True)
class Page:
    """Some rows of the worklist, how many there are in all, and the place after which the next page begins.

    `following` is what to take next: the first of these that is free, else the first of everything.
    """

    items: list[Item]
    total: int
    sums: str
    after: str
    partners: list[tuple[int, str]]
    programs: list[tuple[int, str]]
    following: tuple[str, int] | None


def rows_for(person: Person) -> Iterator[Row]:
    """Everything that waits for a channel manager's decision and that the person may see."""
    claims = Claim.objects.visible_to(person).filter(status__in=[*UNDECIDED, states.DISPUTED])
    both = ["id", "submitted_at", "currency", "partner_id", "partner__name", "reviewer_id", "review_due_at", "closes"]
    both += ["number", "title", "fund__program_id", "fund__program__name"]
    names = [*both, "status", "held_minor", "claimed_minor", "disputed_at", "first_decided_by_id", "cures"]
    for row in claims.annotate(closes=closes_at("fund__"), cures=cures_at("fund__")).values(*names):
        disputed = row["status"] == states.DISPUTED
        yield Row(
            Waiting(
                row["id"],
                row["claimed_minor"] if disputed else row["held_minor"],
                row["disputed_at"] if disputed else row["submitted_at"],
                row["closes"],
                row["cures"],
                DISPUTE if disputed else CLAIM,
            ),
            row["currency"],
            row["partner_id"],
            row["partner__name"],
            *narrowing(row),
            (disputed and row["reviewer_id"] is not None) or row["status"] == states.IN_REVIEW,
            row["reviewer_id"],
            row["first_decided_by_id"],
            row["review_due_at"],
        )
    plans = Plan.objects.visible_to(person).filter(status=states.SUBMITTED).order_by()
    use_close_at, asked = "fund__earning_period__use_close_at", Sum("activities__requested_minor")
    for row in plans.annotate(closes=closes_at("fund__"), asked=asked).values(*both, use_close_at, "asked"):
        yield Row(
            Waiting(
                row["id"],
                row["asked"] or 0,
                row["submitted_at"],
                row[use_close_at],
                row["closes"],
                PLAN,
            ),
            row["currency"],
            row["partner_id"],
            row["partner__name"],
            *narrowing(row),
            False,
            row["reviewer_id"],
            None,
            row["review_due_at"],
        )


def narrowing(row: Mapping[str, Any]) -> tuple[int, str, str]:
    """What the filters look at: the program, its name, and number and title of the thing."""
    return row["fund__program_id"], row["fund__program__name"], f"{row['number']} {row['title']}".casefold()


def in_order(rows: Iterable[Row], at: datetime) -> list[Row]:
    return sorted(rows, key=lambda row: priority.order_key(row.waiting, at))


def fits(row: Row, view: str, person: Person, at: datetime, covered: set[int]) -> bool:
    """Whether a row belongs to a view."""
    return {
        "mine": row.started and row.reviewer_id == person.pk,
        "new": row.waiting.kind == CLAIM and not row.started,
        "overdue": row.due_at is not None and at >= row.due_at,
        "disputes": row.waiting.kind == DISPUTE,
        "plans": row.waiting.kind == PLAN,
        "covered": row.partner_id in covered,
    }.get(view, True)


def worklist(
    person: Person,
    at: datetime,
    *,
    view: str = "",
    partner_id: int | None = None,
    program_id: int | None = None,
    words: str = "",
    covered: Iterable[int] = (),
    after: str = "",
    size: int = 25,
) -> Page:
    """A page of the worklist. `after` is the place of the last row that was seen, as the page before gave it.

    `words` are looked for in numbers and titles, whatever their case. `covered` are the partners that somebody's absence
    brings to the person, for the view of that name.
    """
    everything = in_order(rows_for(person), at)
    theirs = set(covered)
    ordered = [
        row
        for row in everything
        if fits(row, view, person, at, theirs)
        and partner_id in (None, row.partner_id)
        and program_id in (None, row.program_id)
        and words.casefold() in row.named
    ]
    rest = [row for row in ordered if place_of(row.waiting, at) > read_place(after)] if after else ordered
    shown = rest[:size]
    return Page(
        items_of(person, shown, at),
        len(ordered),
        sums_of(ordered),
        "-".join(map(str, place_of(shown[-1].waiting, at))) if len(rest) > size else "",
        sorted({(row.partner_id, row.partner) for row in everything}, key=lambda one: one[1]),
        sorted({(row.program_id, row.program) for row in everything}, key=lambda one: one[1]),
        first_free(ordered, person) or first_free(everything, person),
    )


def sums_of(rows: Sequence[Row]) -> str:
    """What waits, in each currency."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.currency] += row.waiting.held_minor
    return ", ".join(money.display(sums[currency], currency) for currency in sorted(sums))


def first_free(ordered: Iterable[Row], person: Person) -> tuple[str, int] | None:
    return next((row.key for row in ordered if row.is_free_for(person)), None)


KINDS = (CLAIM, DISPUTE, PLAN)


def place_of(waiting: Waiting, at: datetime) -> tuple[int, int, int, int]:
    """The order key as plain numbers that fit into an address."""
    sent = int(waiting.sent_at.timestamp() * 1_000_000)
    return (2**62 - priority.score(waiting, at), sent, KINDS.index(waiting.kind), waiting.claim_id)


def read_place(text: str) -> tuple[int, ...]:
    """A place as it came in an address; anything else is the beginning."""
    parts = text.split("-")
    plain = len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts)
    return tuple(map(int, parts)) if plain else (0, 0, 0, 0)


def items_of(person: Person, rows: Sequence[Row], at: datetime) -> list[Item]:
    wanted = defaultdict(list)
    for row in rows:
        wanted[row.waiting.kind == PLAN].append(row.waiting.claim_id)
    claims = Claim.objects.visible_to(person).with_names().select_related("reviewer").in_bulk(wanted[False])
    plans = (
        Plan.objects.visible_to(person).with_names().select_related("reviewer").in_bulk(wanted[True])
        if wanted[True]
        else {}
    )
    doubles = open_duplicates(wanted[False]) if wanted[False] else {}
    found: list[Item] = []
    for row in rows:
        record = (plans if row.waiting.kind == PLAN else claims).get(row.waiting.claim_id)
        if record is not None:
            found.append(item_of(record, row, doubles.get(row.waiting.claim_id, 0), at))
    return found


def item_of(record: Claim | Plan, row: Row, doubles: int, at: datetime) -> Item:
    waiting, program = row.waiting, record.fund.program
    due = row.due_at or review_due(waiting.sent_at, program)
    return Item(
        kind=waiting.kind,
        record=record,
        amount=money.display(waiting.held_minor, row.currency),
        risk=priority.risk_in_words(waiting, at),
        near=priority.days_left(priority.deadline_of(waiting, at), at) <= NEAR_DAYS,
        age_days=(at - waiting.sent_at).days,
        due_on=due_day(due, program.time_zone),
        overdue=at >= due,
        flags=flags_of(record, doubles if waiting.kind != PLAN else 0),
    )


def flags_of(record: Claim | Plan, doubles: int) -> list[str]:
    """What the checks left over, evidence seen before, and whether it was returned before, in words."""
    said = []
    for outcome, one, many in (
        (FAILED, "failed check", "failed checks"),
        (PERSON, "thing to judge", "things to judge"),
        (WARNING, "warning", "warnings"),
    ):
        number = sum(finding["outcome"] == outcome for finding in record.findings)
        if number:
            said.append(f"{number} {one if number == 1 else many}")
    if doubles:
        said.append("evidence seen before")
    if record.sendings > 1:
        said.append(f"sent {record.sendings} times")
    return said


def next_claim(person: Person, at: datetime, *, but: int | None = None) -> int | None:
    """The id of the claim to take next: the most urgent one that nobody else is reviewing."""
    found = (row for row in in_order(rows_for(person), at) if row.waiting.kind == CLAIM and row.is_free_for(person))
    return next((row.waiting.claim_id for row in found if row.waiting.claim_id != but), None)


def next_waiting(person: Person, at: datetime) -> tuple[str, int] | None:
    """Kind and id of what to take next: the most urgent that nobody else has and that the person may decide."""
    return first_free(in_order(rows_for(person), at), person)


# --- Who is away ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coverage:
    """Who stands in for whom today, in sentences, and the partners that this brings to the person."""

    sentences: list[str]
    partners: set[int]


def coverage(person: Person, day: date) -> Coverage:
    """What the worklist says of people who are away."""
    found = Delegation.objects.on(day).filter(Q(to=person) | Q(person=person))
    sentences, partners = [], set()
    for one in found.select_related("person", "to").prefetch_related("partners", "person__portfolio"):
        names = ", ".join(sorted(partner.name for partner in one.partners.all())) or "all partners"
        if one.to_id == person.pk:
            sentences.append(f"You stand in for {one.person.name} until {show_day(one.ends_on)}: {names}.")
            named = {partner.pk for partner in one.partners.all()}
            partners |= named or {partner.pk for partner in one.person.portfolio.all()}
        else:
            sentences.append(f"{one.to.name} stands in for you until {show_day(one.ends_on)}: {names}.")
    return Coverage(sentences, partners)
