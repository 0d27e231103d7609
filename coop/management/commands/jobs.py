"""The jobs: how they stand, what failed, and running one now."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coop.jobs import BY_NAME, JOBS, run_job
from coop.jobs.heartbeat import mark_killed
from coop.jobs.standing import HELD, Standing, processes, standings, waiting
from coop.lib import clock
from coop.lib.models import JobRun

SHOWN = 20  # runs


class Command(BaseCommand):
    help = (
        "Says of each job what it does, how often it looks, when it looked and worked last, and what is due now. "
        "`jobs run NAME` runs one here and now, `jobs failures` shows what failed and why. "
        "Exit code 1 where something failed, or where a job or beat did not look when it should have."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", nargs="?", default="list", choices=["list", "run", "failures"])
        parser.add_argument("name", nargs="?", default="", help="which job to run")

    def handle(self, *args: Any, act: str, name: str, **options: Any) -> None:
        mark_killed()
        {"list": self.list_jobs, "run": self.run, "failures": self.show_failures}[act](name)

    def list_jobs(self, name: str) -> None:
        every = standings(clock.now())
        width = max(len(job.name) for job in JOBS)
        for one in every:
            due = "-" if one.due is None else str(one.due)
            looks = f"{one.job.name:<{width}}  {one.job.how_often:<16}  looked {ago(one.looked):<15}"
            self.stdout.write(f"{looks}  due now {due:<7}  {state(one)}")
            self.stdout.write(f"{'':<{width}}  {one.job.title}")
        silent = [one for one in processes() if one.silent]
        for process in silent:
            seen = f"last seen {process.seen_wall:%Y-%m-%d %H:%M:%S} UTC" if process.seen_wall else "never seen"
            self.stdout.write(f"{process.name}: {seen}")
        waits = waiting(clock.now())
        self.stdout.write(
            f"Waiting: {waits['untold']} events to be told, {waits['mails']} mails, {waits['deliveries']} deliveries"
        )
        if settings.OUTGOING_HELD:
            self.stdout.write(HELD)
        wrong = [one.job.name for one in every if one.failing or one.late]
        if wrong or silent:
            names = ", ".join([*wrong, *(process.name.lower() for process in silent)])
            raise CommandError(f"Needs attention: {names}. See `manage.py jobs failures`.")

    def run(self, name: str) -> None:
        if name not in BY_NAME:
            raise CommandError(f"There is no job {name or '(name it)'}. There are: {', '.join(BY_NAME)}.")
        done = run_job(name, clock.now(), asked_by="manage.py")
        self.stdout.write(f"{name}: {done.worked} done, {done.failed} failed")
        for failure in done.failures:
            self.stderr.write(f"  {failure['record']}: {failure['error']}")
        if done.failed:
            raise CommandError(f"{done.failed} failed.")

    def show_failures(self, name: str) -> None:
        runs = JobRun.objects.filter(status__in=["failed", "killed"])
        found = list((runs.filter(job=name) if name else runs)[:SHOWN])
        for run in found:
            ended = f"{run.ended_wall:%Y-%m-%d %H:%M:%S} UTC" if run.ended_wall else "not ended"
            self.stdout.write(
                f"{ended}  {run.job}: {run.get_status_display().lower()}, {run.worked} done, {run.failed} failed"
            )
            for failure in run.failures:
                self.stdout.write(f"  {failure['record']}: {failure['error']}")
        if not found:
            self.stdout.write("No run failed or was killed.")
        if any(one.failing for one in standings()):
            raise CommandError("Something still fails.")


def ago(seconds: int | None) -> str:
    return "never" if seconds is None else f"{timedelta(seconds=seconds)} ago"


def state(one: Standing) -> str:
    """E.g. "running, 12000 of 500000"."""
    if one.running:
        return f"running, {one.running.worked}" + (f" of {one.running.total}" if one.running.total else "")
    said = {
        "failing": "FAILING",
        "late": "DID NOT LOOK",
        "asked": "asked for",
        "new": "did not look yet",
        "quiet": "ok",
    }
    worked = f", worked {one.worked_wall:%Y-%m-%d %H:%M}" if one.worked_wall else ""
    return said[one.status] + worked
