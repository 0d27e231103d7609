"""The earning lines behind an entry: as one delivery brought them, and the history of one line over all deliveries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, Sum

from coop.lib.errors import NotFound
from funds.judging.lines import cells_of
from funds.models import Earning, EarningQuerySet, Fund, Import
from partners.models import Person

PAGE = 50


@dataclass(frozen=True)
class Line:
    """One version of a line; `former` is the one that it replaced, if any, and `cells` the line as it was sent, each with its
    column's name (in a history only).
    """

    earning: Earning
    former: Earning | None
    cells: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class EarningLines:
    """One page of the lines that one delivery brought to a fund, and the sums over all of them in minor units."""

    lines: Sequence[Line]
    number: int
    rebate_minor: int
    coop_minor: int
    older: str


def of_fund(fund: Fund, person: Person) -> EarningQuerySet:
    found: EarningQuerySet = Earning.objects.visible_to(person).filter(
        partner_id=fund.partner_id,
        enrollment_id=fund.enrollment_id,
        earning_period_id=fund.earning_period_id,
        fund_currency=fund.currency,
    )
    return found


def earning_lines(
    fund: Fund, *, person: Person, delivery_id: int, taken_back: bool = False, after: str = ""
) -> EarningLines:
    """The lines that one delivery brought to the fund, by their ids; `after` is where the page before ended (`older`).

    With `taken_back` what its reversal did to them: the second version of a line that the same delivery has in the fund.
    Sums are of the changes, which is what was posted.
    """
    brought = Earning.objects.filter(
        delivery_id=delivery_id,
        partner_id=OuterRef("partner_id"),
        external_id=OuterRef("external_id"),
        enrollment_id=OuterRef("enrollment_id"),
        earning_period_id=OuterRef("earning_period_id"),
        version__lt=OuterRef("version"),
    )
    second = Exists(brought)
    of_delivery = of_fund(fund, person).filter(second if taken_back else ~second, delivery_id=delivery_id)
    sums = of_delivery.aggregate(
        number=Count("external_id"), rebate=Sum("rebate_change_minor"), coop=Sum("coop_change_minor")
    )
    last, _, version = after.rpartition("~")
    if last and version.isdigit() and len(version) < 10:
        of_delivery = of_delivery.filter(Q(external_id__gt=last) | Q(external_id=last, version__gt=int(version)))
    found = list(of_delivery.order_by("external_id", "version")[: PAGE + 1])
    shown = found[:PAGE]
    return EarningLines(
        [Line(line, former, []) for line, former in with_former(shown)],
        sums["number"],
        sums["rebate"] or 0,
        sums["coop"] or 0,
        f"{shown[-1].external_id}~{shown[-1].version}" if len(found) > PAGE else "",
    )


def history_of(fund: Fund, external_id: str, *, person: Person) -> list[Line]:
    """Every version of a line that was ever in the fund, the newest first, those in other funds too. Raises NotFound."""
    versions = Earning.objects.visible_to(person).filter(partner_id=fund.partner_id, external_id=external_id)
    if not of_fund(fund, person).filter(external_id=external_id).exists():
        raise NotFound("There is no such line in this fund.")
    found = list(versions.select_related("location", "program", "earning_period").order_by("version"))
    sent = as_sent(found)
    return [Line(line, former, sent.get(line.version, [])) for line, former in reversed(list(with_former(found)))]


def as_sent(versions: Sequence[Earning]) -> dict[int, list[tuple[str, str]]]:
    """The cells of each version as its delivery brought them, with the names of their columns, by version.

    What a reversal or a move wrote was not sent by anybody.
    """
    deliveries = Import.objects.in_bulk([line.delivery_id for line in versions])
    found: dict[int, list[tuple[str, str]]] = {}
    seen = set()
    for line in versions:
        delivery = deliveries[line.delivery_id]
        if line.withdrawn or delivery.pk in seen or not delivery.columns:
            continue
        seen.add(delivery.pk)
        cells = cells_of(delivery, [line.line_no]).get(line.line_no, [])
        found[line.version] = [(name, cell) for name, cell in zip(delivery.columns, cells, strict=False) if cell]
    return found


def with_former(found: Sequence[Earning]) -> Iterator[tuple[Earning, Earning | None]]:
    """Lines with the versions that they replaced."""
    changed = [line for line in found if line.version > 1]
    before = Earning.objects.filter(
        partner_id__in={line.partner_id for line in changed}, external_id__in={line.external_id for line in changed}
    )
    former = {(line.external_id, line.version): line for line in before} if changed else {}
    yield from ((line, former.get((line.external_id, line.version - 1))) for line in found)
