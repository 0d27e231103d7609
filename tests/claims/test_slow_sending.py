"""A claim that is being sent while the clock goes on: what counts is the deadline, not how long the sending took."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from claims.operations import sending
from claims.operations.sending import submit_claim
from coop.lib import clock
from coop.lib.errors import Busy, WindowClosed
from funds.models import Fund
from tests import factories as make


def while_it_is_sent(monkeypatch: pytest.MonkeyPatch, to: datetime) -> None:
    """The clock leaps to an instant between the look at it and the saving."""
    monkeypatch.setattr(sending, "look_for_duplicates", lambda claim, at: make.set_clock(to))


def test_a_sending_that_took_minutes_is_not_called_late_before_its_deadline(
    fund: Fund, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = make.make_claim(fund)
    with monkeypatch.context() as patched:
        while_it_is_sent(patched, make.CLAIMING + timedelta(minutes=2))
        with pytest.raises(Busy) as refused:
            submit_claim(claim.pk, by=claim.created_by, at=clock.now())
    assert "send it again" in refused.value.message
    claim.refresh_from_db()
    fund.refresh_from_db()
    assert (claim.status, claim.sendings, fund.in_review_minor) == ("draft", 0, 0)
    assert submit_claim(claim.pk, by=claim.created_by, at=clock.now()).status == "submitted"


def test_a_sending_during_which_the_deadline_passed_is_late(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = make.make_claim(fund)
    make.set_clock(make.LAST_INSTANT - timedelta(hours=1))
    while_it_is_sent(monkeypatch, make.DEADLINE)
    with pytest.raises(WindowClosed, match="The deadline passed while this claim was being sent"):
        submit_claim(claim.pk, by=claim.created_by, at=clock.now())
