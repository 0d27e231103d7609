"""What the log of events tells to whom."""

from __future__ import annotations

import pytest

from claims.models import Claim
from tests import factories
from tests.api.client import api_of

pytestmark = pytest.mark.django_db


def verbs_seen_by(who: str) -> set[str]:
    answer = api_of(factories.vendor(who)).get("events/", page_size="200")
    return {event["verb"] for event in answer["results"]}


def test_a_channel_manager_of_every_partner_reads_of_no_run_and_no_import(claim: Claim) -> None:
    factories.make_approved_claim(claim.fund, "1000.00")
    factories.prepare()
    hidden = {"payment_run.prepared", "import.committed", "person.created"}
    assert hidden & verbs_seen_by("finance") == hidden
    seen = verbs_seen_by("manager")
    assert "claim.submitted" in seen
    assert not {verb for verb in seen if verb.startswith(("payment_run.", "import."))}
