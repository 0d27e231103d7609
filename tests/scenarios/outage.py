"""What the tests of outages share: a half with money, work that is begun, and what must be true when jobs run again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from django.test import Client

from claims.models import Claim, Plan
from coop.lib import clock
from funds.models import Enrollment, Fund
from partners.models import Mail, Notice, Person, Untold
from tests import factories as make
from tests.api.client import Answer, api_of
from tests.notices.post import MailServer
from tests.scenarios.world import begin, deliver, draft, fund_of, give_back, reach, send

LAST = "2024-08-14 23:59:59.999"
WHEN_IT_RAN = "2024-08-18 09:00"


@dataclass
class World:
    """10,003.55 of Northwind, of which 1,000.00 are reserved, 1,200.00 returned for repair; 12,000.00 of Cedar."""

    northwind: Enrollment
    cedar: Enrollment
    mia: Person
    bo: Person
    plan: Plan
    returned: Claim
    drafts: list[Claim] = field(default_factory=list)

    @property
    def funds(self) -> list[Fund]:
        return [fund_of(self.northwind), fund_of(self.cedar)]


def make_world(drafts: int) -> World:
    """The jobs and beat run until 10 August 2024; six drafts of 100.00 each lie there, or so many."""
    begin(at="2023-12-01", years=(2024, 2024))
    northwind, cedar = (
        make.make_enrollment(make.make_location(make.make_partner(name)))
        for name in ("Northwind Traders", "Cedar Works")
    )
    mia, bo = make.marketer_of(northwind.partner), make.marketer_of(cedar.partner)
    deliver(northwind, ("25000.00", "2023-08-15"), ("8.88", "2023-09-15"))
    deliver(cedar, ("30000.00", "2023-10-01"))
    pass_over("2024-03-04 09:00")
    fund = fund_of(northwind)
    plan = make.make_approved_plan(fund, "1000.00")
    written = [draft(fund, "100.00") for _ in range(drafts)]
    repaired = send(draft(fund, "1200.00"))
    pass_over("2024-08-08 09:00")
    give_back(repaired)
    reach("2024-08-10")
    return World(northwind, cedar, mia, bo, plan, repaired, written)


def pass_over(text: str) -> None:
    """Jump to an instant, and run once what is due then: quicker than `reach`, which stops at each instant on the way."""
    reach(text, jobs=False)
    reach(text)


def send_by_api(claim: Claim) -> Answer:
    return api_of(claim.created_by).post(f"claims/{claim.pk}/submit/")


def send_by_page(claim: Claim) -> tuple[int, str]:
    """The status and the words of the page that answers."""
    client = Client()
    client.force_login(claim.created_by)
    revision = Claim.objects.values_list("revision", flat=True).get(id=claim.pk)
    answer = client.post(f"/claims/{claim.pk}/send/", {"revision": revision, "declared": "on"})
    return answer.status_code, answer.content.decode()


# --- What must be true afterwards -------------------------------------------------------------------------------------


def require_truth(world: World, server: MailServer, told_before: int) -> None:
    """Two claims of 100.00 were sent in time; the jobs ran on 18 August, `told_before` being the last notice until then."""
    require_expired_once(world)
    require_told_the_truth(world, told_before)
    require_mailed_once(server)


def require_expired_once(world: World) -> None:
    northwind, cedar = world.funds
    # 10,003.55 less the plan's 1,000.00, the returned 1,200.00 and two claims of 100.00; and the plan by itself.
    expected = {northwind.pk: Counter({760_355: 1, 100_000: 1}), cedar.pk: Counter({1_200_000: 1})}
    for fund in (northwind, cedar):
        expiries = list(fund.entries.filter(to_bucket="expired"))
        assert Counter(one.amount_minor for one in expiries) == expected[fund.pk]
        assert {one.effective_on for one in expiries} == {date(2024, 8, 14)}
        assert {one.recorded_at for one in expiries} == {clock.now()}
        assert fund.entries.filter(kind="expiry").count() == 1
        assert fund.available_minor == fund.reserved_minor == 0
    assert (northwind.expired_minor, northwind.in_review_minor) == (860_355, 140_000)
    assert Plan.objects.get(id=world.plan.pk).status == "lapsed"
    assert Claim.objects.get(id=world.returned.pk).status == "action_required"
    statuses = Counter(Claim.objects.filter(id__in=[one.pk for one in world.drafts]).values_list("status", flat=True))
    assert statuses == {"submitted": 2, "lapsed": len(world.drafts) - 2}


def require_told_the_truth(world: World, told_before: int) -> None:
    told = list(Notice.objects.filter(id__gt=told_before).select_related("person"))
    # Nobody hears of a deadline that is over as if it could still be met; that a review is overdue is said of such a one.
    over = [one for one in told if one.deadline_at and one.deadline_at <= clock.now() and one.person.partner_id]
    assert [one.title for one in told if "left:" in one.title or one in over] == []
    for person, amount in ((world.mia, "7,603.55 USD"), (world.bo, "12,000.00 USD")):
        (expired,) = (one for one in told if one.person_id == person.pk and one.key.startswith("fund.expired:"))
        assert expired.title.startswith(f"{amount} expired")
        assert "taken until 14 Aug 2024, 23:59:59" in expired.text
        assert "effective 14 Aug 2024" in expired.text
    lapsed = [one for one in told if one.person_id == world.mia.pk and one.key.startswith("claim.lapsed:")]
    assert len(lapsed) == len(world.drafts) - 2
    assert all("14 Aug 2024" in one.text for one in lapsed)
    assert not Untold.objects.exists()


def require_mailed_once(server: MailServer) -> None:
    """Every notice that goes at once is in one mail, and the server took each once, but for reminders that came too late."""
    assert not Notice.objects.filter(mail_at__lte=clock.now(), mail=None).exists()
    given_up = set(Mail.objects.exclude(status="sent").values_list("status", "error"))
    assert given_up <= {("failed", "Its deadline passed before a mail server took it.")}, given_up
    sent = Mail.objects.filter(status="sent").values_list("message_id", flat=True)
    taken = Counter(str(mail["Message-ID"]) for mail in server.taken)
    assert taken == Counter(sent), (taken, sent)
    assert set(taken.values()) == {1}
