"""The earning lines behind an entry: as one delivery brought them, and the history of one line over all deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from coop.lib.errors import NotFound
from funds.judging.lines import cells_of
from funds.models import Earning, EarningQuerySet, Fund, Import
from partners.models import Person

PAGE = 50


@dataclass(frozen=True)
class Line:
    """One line as a delivery brought it; `former` is the version that it replaced, if any, and `cells` the line as it was
    sent, each with its column's name.
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


def earning_lines(fund: Fund, *, person: Person, delivery_id: int, after: str = "") -> EarningLines:
    """The lines that one delivery brought to the fund, by their ids; `after` is where the page before ended (`older`).

    Sums are of the changes, which is what the delivery posted.
    """
    of_delivery = of_fund(fund, person).filter(delivery_id=delivery_id)
    sums = of_delivery.aggregate(
        number=Count("external_id"), rebate=Sum("rebate_change_minor"), coop=Sum("coop_change_minor")
    )
    last, _, version = after.rpartition("~")
    if last and version.isdigit() and len(version) < 10:
        of_delivery = of_delivery.filter(Q(external_id__gt=last) | Q(external_id=last, version__gt=int(version)))
    found = list(of_delivery.order_by("external_id", "version")[: PAGE + 1])
    shown = found[:PAGE]
    return EarningLines(
        with_former(shown),
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
    return with_former(list(versions.select_related("location", "program", "earning_period").order_by("-version")))


def with_former(found: Sequence[Earning]) -> list[Line]:
    """Lines with the versions that they replaced and their cells named."""
    changed = [line for line in found if line.version > 1]
    before = Earning.objects.filter(
        partner_id__in={line.partner_id for line in changed}, external_id__in={line.external_id for line in changed}
    )
    former = {(line.external_id, line.version): line for line in before} if changed else {}
    sent = sent_cells(found)
    return [
        Line(line, former.get((line.external_id, line.version - 1)), sent.get((line.delivery_id, line.line_no), []))
        for line in found
    ]


def sent_cells(found: Sequence[Earning]) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """The cells of lines as they were sent, with the names of their columns, by delivery and line number."""
    return {
        (delivery.pk, line_no): [(name, cell) for name, cell in zip(delivery.columns, cells, strict=True) if cell]
        for delivery in Import.objects.filter(id__in={line.delivery_id for line in found})
        for line_no, cells in cells_of(
            delivery, [line.line_no for line in found if line.delivery_id == delivery.pk]
        ).items()
    }
