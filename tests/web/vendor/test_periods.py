"""The calendar of periods, the closing before it runs, and extensions: who sees them, who decides, and what they say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from funds.models import Extension, Fund
from funds.operations.extensions import ask_extension
from tests import factories as make
from tests.web.vendor.conftest import Enter, get_within_bound, words

pytestmark = pytest.mark.django_db
THE_30TH = date(2024, 8, 30)


def asked(fund: Fund) -> Extension:
    more = {"by": make.marketer_of(fund.partner), "at": make.CLAIMING}
    return ask_extension(fund.earning_period_id, until=THE_30TH, because="Our printer is late.", **more)


def test_finance_and_auditors_read_what_program_admins_decide(enter: Enter) -> None:
    fund = make.make_fund()
    request = asked(fund)
    closing = reverse("period-closing", args=[fund.earning_period_id])
    for who, decides in (("program", True), ("finance", False), ("auditor", False)):
        client = enter(who)
        page = words(get_within_bound(client, reverse("periods")))
        assert ("Decide on Northwind Traders" in page, "Our printer is late." in page) == (decides, True)
        assert ("Extend the deadline" in words(get_within_bound(client, closing, 20))) == decides
        page = words(client.get(reverse("extension", args=[request.pk])))
        assert ("Move the deadline" in page, "Program admins decide on this." in page) == (decides, not decides)
    for who in ("finance", "auditor"):
        answer = enter(who).post(reverse("extension", args=[request.pk]), {"act": "decline", "reason": "No."})
        assert answer.status_code == 403
        assert enter(who).get(reverse("period-extend", args=[fund.earning_period_id])).status_code == 403
    for who in ("manager", make.marketer_of(fund.partner)):
        assert enter(who).get(closing).status_code == 403
        assert enter(who).get(reverse("periods")).status_code == 403
        assert enter(who).get(reverse("period-closing-csv", args=[fund.earning_period_id])).status_code == 403


def test_a_partner_does_not_see_the_request_of_another(enter: Enter) -> None:
    request = asked(make.make_fund())
    stranger = make.make_person(make.make_partner("Contoso"))
    assert enter(stranger).get(reverse("extension", args=[request.pk])).status_code == 404


def test_a_request_is_declined_with_a_reason_that_its_partner_reads(enter: Enter) -> None:
    fund = make.make_fund()
    request = asked(fund)
    page = reverse("extension", args=[request.pk])
    admin = enter("program")
    assert admin.post(page, {"act": "decline", "revision": 1}).status_code == 400
    done = words(admin.post(page, {"act": "decline", "reason": "45 days are enough.", "revision": 1}, follow=True))
    assert "Declined. Northwind Traders is told why; the deadline stays." in done
    partner = words(enter(make.marketer_of(fund.partner)).get(reverse("fund", args=[fund.pk])))
    assert "You asked for 30 Aug 2024. It was declined: 45 days are enough. Ask for more time to claim" in partner


def test_the_threshold_test_is_previewed_to_the_cent(enter: Enter) -> None:
    """24,999.98 earned gives 9,999.99 of co-op: one cent short. An adjustment of one cent lifts the other to the threshold."""
    short = make.make_fund("24999.98", settled=False, now=make.EARNING)
    lifted = make.make_fund("24999.98", settled=False, now=make.EARNING)
    make.make_adjustment(lifted, "0.01")
    page = words(enter("finance").get(reverse("period-closing", args=[short.earning_period_id])))
    assert "Threshold test of FY24 H1 It runs by itself at 31 Jan 2024, 00:00 UTC." in page
    assert "9,999.99 USD becomes rebate, in 1 of 2 funds." in page
    assert "9,999.99 USD 9,999.99 USD Becomes rebate 9,999.99 USD" in page
    assert "10,000.00 USD 0.01 USD 10,000.00 USD Stays" in page
    file = enter("finance").get(reverse("period-closing-csv", args=[short.earning_period_id]))
    lines = file.getvalue().decode().splitlines()
    assert lines[0] == "fund,partner,partner_name,location,currency,counted,adjusted,available,converts"
    assert lines[1].endswith("Head office,USD,9999.99,0.00,9999.99,9999.99")
    assert lines[2].endswith("Head office,USD,10000.00,0.01,10000.00,0.00")


def test_a_close_that_is_due_or_done_says_so(enter: Enter) -> None:
    fund = make.make_fund()
    closing = reverse("period-closing", args=[fund.earning_period_id])
    make.set_clock(make.DEADLINE)
    assert "It is due since 15 Aug 2024, 00:00 UTC and runs at the next look" in words(enter("finance").get(closing))
    make.expire()
    page = words(enter("finance").get(closing))
    assert "It is complete since 15 Aug 2024, 00:00 UTC. Nothing more will be posted by it." in page
    assert "What it has posted 10,003.55 USD in 1 fund." in page


def test_one_partner_is_named_by_its_code_and_a_program_moves_by_days(enter: Enter) -> None:
    fund = make.make_fund()
    page = reverse("period-extend", args=[fund.earning_period_id])
    form = {"who": "partner", "claims_close_on": "2024-08-30", "reason": "Late invoices."}
    admin = enter("program")
    assert "Enter the code or the full name of one partner." in words(admin.post(page, form))
    done = words(admin.post(page, {**form, "partner": fund.partner.external_id}, follow=True))
    assert "Northwind Traders may claim from FY24 H1 until 30 Aug 2024, and is told so." in done
    make.set_clock(datetime(2024, 7, 1, 9, tzinfo=UTC))
    form = {"who": "program", "claims_close_on": "2024-08-16", "reason": "The portal was down."}
    done = words(admin.post(page, form, follow=True))
    assert "The deadlines of FY24 H1 and FY24 H2 moved by 2 days." in done
    assert make.period().claims_close_on == date(2024, 8, 16)
    assert Fund.objects.with_names().get(pk=fund.pk).claims_close_on == THE_30TH
