"""Texts that read as another than they are, whichever door they come through."""

from __future__ import annotations

import pytest

from claims.models import Claim
from claims.operations.drafting import add_line, change_line, create_claim, update_claim
from coop.lib import clock
from coop.lib.errors import Invalid
from funds.models import Fund
from tests import factories

pytestmark = pytest.mark.django_db

TURNED = "\u202e100 ecirP"


@pytest.fixture
def draft(fund: Fund) -> Claim:
    return factories.make_claim(fund)


@pytest.mark.parametrize("text", [TURNED, "one\r\ntwo", "bell\x07"])
def test_a_title_that_turns_or_breaks_its_line_is_refused(draft: Claim, text: str) -> None:
    by, at = draft.created_by, clock.now()
    with pytest.raises(Invalid) as refused:
        update_claim(draft.pk, {"title": text}, by=by, at=at)
    assert [error.field for error in refused.value.errors] == ["title"]
    with pytest.raises(Invalid):
        create_claim(fund_id=draft.fund_id, activity_code=draft.activity.code, title=text, by=by, at=at)


def test_all_texts_of_a_line_are_named_at_once(draft: Claim) -> None:
    by, at = draft.created_by, clock.now()
    texts = {"supplier": TURNED, "invoice_number": TURNED, "description": TURNED}
    with pytest.raises(Invalid) as refused:
        add_line(draft.pk, kind="invoice", amount_minor=100, **texts, by=by, at=at)
    assert {error.field for error in refused.value.errors} == set(texts)
    line = draft.lines.get()
    with pytest.raises(Invalid) as refused:
        change_line(draft.pk, line.pk, texts, by=by, at=at)
    assert {error.field for error in refused.value.errors} == set(texts)
