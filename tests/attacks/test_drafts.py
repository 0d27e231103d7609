"""A claim that was not sent yet is the partner's own paper: nothing tells the vendor of it."""

from __future__ import annotations

import pytest

from partners.models import Event
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["manager", "finance", "program", "auditor"])
def test_the_log_tells_the_vendor_nothing_of_a_draft(who: str) -> None:
    claim = make.make_claim(make.make_fund())
    seen = Event.objects.visible_to(make.vendor(who)).filter(subject_type="claim")
    assert not seen.exists()
    assert Event.objects.visible_to(claim.created_by).filter(subject_type="claim").exists()


def test_the_log_tells_the_vendor_of_a_claim_from_its_sending_on() -> None:
    claim = make.make_sent_claim(make.make_fund())
    seen = Event.objects.visible_to(make.vendor("manager")).filter(subject_type="claim", subject=str(claim.pk))
    assert [event.verb for event in seen] == ["claim.submitted"]
