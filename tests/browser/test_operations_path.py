"""A job fails in the night, a program admin looks why, and runs it again when it is mended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models.functions import Now
from playwright.sync_api import expect

from coop.jobs import JOBS, run_job
from coop.jobs.asking import run_asked
from coop.jobs.running import BEAT, WORKER, note_alive
from coop.lib.models import JobRun, JobState
from coop.people import load_vendor_people
from tests import factories as make
from tests.browser.steps import Visit, enter, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broken() -> Callable[[], None]:
    """A draft that lies past its deadline, in a table that refuses to let it lapse. Call it to mend the table."""
    load_vendor_people(make.CLAIMING)
    claim = make.make_claim(make.make_fund("25000.00"), "10.00")
    make.set_clock(make.DEADLINE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
                  BEGIN RAISE EXCEPTION 'this row is broken'; END $$;
                CREATE TRIGGER broken BEFORE UPDATE ON claims_claim FOR EACH ROW
                  WHEN (OLD.id = {claim.id} AND NEW.status = 'lapsed') EXECUTE FUNCTION broken()"""
        )

    def mend() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS broken ON claims_claim; DROP FUNCTION IF EXISTS broken()")

    return mend


def test_a_program_admin_sees_what_fails_and_why_and_runs_it_again(visit: Visit, broken: Callable[[], None]) -> None:
    for job in JOBS:
        JobState.objects.create(job=job.name, looked_wall=Now())
    note_alive(BEAT)
    note_alive(WORKER)
    try:
        assert run_job("lapse_claims", make.DEADLINE).failed == 1
        JobRun.objects.create(job="expire_periods", status="running", worked=12_000, total=500_000)
        visitor = enter(visit, "program")
        page = visitor.page
        page.get_by_role("link", name="How the system runs").click()
        attention = page.get_by_role("region", name="Needs attention")
        expect(attention).to_contain_text("Lapse claims fails.")
        expect(attention).to_contain_text("this row is broken")
        row = page.get_by_role("row", name="Expire periods Expires what is left")
        expect(row).to_contain_text("12,000 of 500,000")
        look(visitor, "operations")
        page.get_by_role("link", name="Why lapse claims fails").click()
        expect(page.get_by_role("heading", name="Lapse claims")).to_be_visible()
        look(visitor, "failed run")
        expect(page.get_by_role("table", name="What failed")).to_contain_text("this row is broken")
    finally:
        broken()
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("“Lapse claims” was asked for. A worker begins within seconds.")).to_be_visible()
    expect(page.get_by_role("row", name="Lapse claims Lets drafts")).to_contain_text("Asked for")
    assert [done.worked for done in run_asked(make.DEADLINE)] == [1]
    page.reload()
    expect(page.get_by_text("Nothing needs attention: every job looked in time, and none fails.")).to_be_visible()
    ran = page.get_by_role("table", name="What ran").get_by_role("row")
    expect(ran.nth(1)).to_contain_text("program@vendor.example")
    look(visitor, "operations when all is well")
