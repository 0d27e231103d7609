"""A channel manager's portfolio: what each partner may lose and by when, what is open, and how claims go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Greatest

from claims import states
from claims.models import Claim, Plan
from claims.priority import SCALE, days_left
from coop.lib import money
from funds.models import Fund
from funds.queries.deadlines import closes_at, open_still
from partners.models import Partner, Person

OPEN_CLAIMS = (states.SUBMITTED, states.IN_REVIEW, states.ACTION_REQUIRED, states.DISPUTED)


@dataclass(frozen=True)
class Loss:
    """What expires of a partner's funds at one deadline, in one currency."""

    minor: int
    currency: str
    close_at: datetime
    zone: str

    @property
    def amount(self) -> str:
        return money.display(self.minor, self.currency)


@dataclass
class Standing:
    """One partner of the portfolio. `losses` are those of its live funds, the nearest deadline first."""

    partner: Partner
    losses: list[Loss] = field(default_factory=list)
    plans_waiting: int = 0
    plans_in_force: int = 0
    claims_open: int = 0
    decided: int = 0
    right_at_once: int = 0

    @property
    def at_risk(self) -> str:
        """All that expires unless it is claimed, in each currency."""
        sums: dict[str, int] = defaultdict(int)
        for loss in self.losses:
            sums[loss.currency] += loss.minor
        return ", ".join(money.display(minor, currency) for currency, minor in sorted(sums.items()))

    @property
    def right_text(self) -> str:
        """How many of the decided claims were approved as they were first sent."""
        return f"{self.right_at_once} of {self.decided}" if self.decided else ""

    def score(self, at: datetime) -> int:
        """Money at risk times nearness, as for the worklist; higher is more urgent."""
        return sum(loss.minor * SCALE // (1 + days_left(loss.close_at, at)) for loss in self.losses)


def portfolio_of(person: Person, at: datetime, *, only: int | None = None) -> Sequence[Standing]:
    """The partners that a person looks after (or the one that is asked for), the most urgent first; in four reads."""
    partners = Partner.objects.visible_to(person)
    found = {one.pk: Standing(one) for one in (partners.filter(id=only) if only is not None else partners)}
    add_losses(found, person, at)
    plans = Plan.objects.visible_to(person).filter(partner_id__in=found).order_by()
    for partner_id, waiting, in_force in plans.values_list("partner_id").annotate(
        waiting=Count("id", filter=Q(status=states.SUBMITTED)), in_force=Count("id", filter=Q(status=states.APPROVED))
    ):
        found[partner_id].plans_waiting, found[partner_id].plans_in_force = waiting, in_force
    granted = Q(status__in=[states.APPROVED, states.PAID])
    claims = Claim.objects.visible_to(person).filter(partner_id__in=found).order_by()
    for partner_id, still_open, decided, right in claims.values_list("partner_id").annotate(
        still_open=Count("id", filter=Q(status__in=OPEN_CLAIMS)),
        decided=Count("id", filter=granted | Q(status=states.REJECTED)),
        right=Count("id", filter=granted & Q(sendings=1, approved_minor=F("claimed_minor"))),
    ):
        row = found[partner_id]
        row.claims_open, row.decided, row.right_at_once = still_open, decided, right
    return sorted(found.values(), key=lambda row: (-row.score(at), row.partner.name, row.partner.pk))


def add_losses(found: dict[int, Standing], person: Person, at: datetime) -> None:
    """What is available or reserved in funds that are final and still take claims. A fund below zero loses nothing."""
    live = Fund.objects.visible_to(person).filter(open_still(at), partner_id__in=found, settled_at__isnull=False)
    sums = (
        live.annotate(closes=closes_at())
        .order_by("closes")
        .values_list("partner_id", "currency", "closes", "program__time_zone")
    )
    for partner_id, currency, close_at, zone, minor in sums.annotate(
        minor=Sum(Greatest(F("available_minor"), 0) + F("reserved_minor"))
    ):
        if minor:
            found[partner_id].losses.append(Loss(minor, currency, close_at, zone))
