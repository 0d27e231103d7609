"""Import a file of earnings here, without a page in between: for files that are too large for one."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from coop.lib import clock
from coop.lib.errors import Refused
from funds.models import Import, ImportProgress
from funds.operations.deliveries import check_import, work_on
from funds.operations.earnings import commit_import
from funds.operations.imports import receive_file
from funds.queries.effects import rejected_lines, summary_of
from funds.states import IMPORT_FORMATS
from partners.models import Person
from partners.states import FINANCE

LOOK = 2.0  # seconds between two looks at the progress
SHOWN = 20


class Command(BaseCommand):
    help = "Check a file of earnings and say what it would change; with --commit, post it. Exit 1 with the reason if refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--commit", action="store_true", help="post it when it was checked")
        parser.add_argument(
            "--mapping",
            nargs="+",
            default=[],
            metavar="FIELD=COLUMN",
            help="which column fills a field, e.g. amount_text=Betrag",
        )
        parser.add_argument("--user", help="who imports: the e-mail address of a person of finance")

    def handle(self, *, file: Path, commit: bool, mapping: list[str], user: str | None, **options: Any) -> None:
        by, said = person(user), fields_of(mapping)
        try:
            delivery = self.receive(file, said, by)
            delivery = self.examine(delivery)
            self.tell(delivery)
            if commit:
                self.commit(delivery, by)
            else:
                self.stdout.write(
                    f"Nothing was posted. Look at it and commit or discard it on its page: /imports/{delivery.pk}/"
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except Refused as refusal:
            raise CommandError(sentence_of(refusal)) from None

    def receive(self, file: Path, mapping: dict[str, str], by: Person) -> Import:
        with file.open("rb") as opened:
            delivery = receive_file(
                filename=file.name,
                file=opened,
                mapping=mapping,
                max_bytes=settings.IMPORT_COMMAND_MAX_BYTES,
                by=by,
                at=clock.now(),
            )
        form = IMPORT_FORMATS[delivery.format]
        self.stdout.write(f"{file.name} is import {delivery.pk}: {file.stat().st_size:,} bytes. {form}.")
        return delivery

    def examine(self, delivery: Import) -> Import:
        """The worker that runs beside this may have taken it: then wait for it."""
        with self.progress(delivery.pk):
            while (checked := check_import(delivery.pk, at=clock.now())) is None:
                delivery.refresh_from_db()
                if delivery.status not in ("queued", "running"):
                    checked = delivery
                    break
                time.sleep(LOOK)
        if checked.status != "ready":
            raise CommandError(
                f"The file was refused: {checked.failure}" if checked.failure else f"It is {checked.status}."
            )
        return checked

    def commit(self, delivery: Import, by: Person) -> None:
        """A large import is posted here as a worker would do it; the worker that runs beside this may be quicker."""
        with self.progress(delivery.pk):
            done = commit_import(delivery.pk, revision=delivery.revision, by=by, at=clock.now())
            while done.asked_for:
                if work_on(done.pk, at=clock.now()) is None:
                    time.sleep(LOOK)
                done.refresh_from_db()
        if done.status != "committed":
            raise CommandError(f"Nothing was posted: {done.failure}")
        self.stdout.write(f"Committed: {done.new + done.changed:,} lines are posted.")

    def tell(self, delivery: Import) -> None:
        """The summary of the differences."""
        write = self.stdout.write
        write(
            f"{delivery.lines:,} lines: {delivery.new:,} new, {delivery.changed:,} changed, "
            f"{delivery.unchanged:,} unchanged, {delivery.rejected:,} rejected"
        )
        for total in delivery.totals:
            write(
                f"  {total['program']}: {total['amount']} {total['currency']} of earnings, co-op {total['coop']}, "
                f"rebate {total['rebate']}"
            )
        found = summary_of(delivery)
        write(
            f"  {found['funds']:,} fund{'' if found['funds'] == 1 else 's'}: {found['new_funds']:,} new, "
            f"{found['crossing_up']:,} reach their threshold, {found['crossing_down']:,} fall below it, "
            f"{found['late']:,} late, {found['overdrawn']:,} end below zero"
        )
        if delivery.remark:
            write(f"  {delivery.remark}")
        if delivery.rejected:
            for line in rejected_lines(delivery.pk, limit=SHOWN):
                write(f"  line {line['line_no']:,}: {line['message']}")

    @contextmanager
    def progress(self, import_id: int) -> Iterator[None]:
        """Lines that say how far the work is, while it is done."""
        over = Event()
        looking = Thread(target=self.look, args=(import_id, over), daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def look(self, import_id: int, over: Event) -> None:
        told = ""
        try:
            while not over.wait(LOOK):
                row = ImportProgress.objects.filter(import_id=import_id).first()
                step = f"  {row.step}: {row.percent} %" if row else ""
                if step and step != told:
                    self.stdout.write(step)
                    told = step
        finally:
            connection.close()


def person(email: str | None) -> Person:
    """Who imports; without an address the one person of finance there is. Raises CommandError."""
    finance = Person.objects.filter(role=FINANCE, is_active=True)
    found = list(finance.filter(email=email.lower()) if email else finance[:2])
    if len(found) == 1:
        return found[0]
    raise CommandError(
        f"No active person of finance has the e-mail address {email}."
        if email
        else "Say who imports: --user EMAIL, the address of a person of finance."
    )


def fields_of(mapping: list[str]) -> dict[str, str]:
    """{"amount_text": "Betrag"} of ["amount_text=Betrag"]. Raises CommandError."""
    wrong = [pair for pair in mapping if "=" not in pair]
    if wrong:
        raise CommandError(f"“{wrong[0]}” says nothing. Write FIELD=COLUMN, for example amount_text=Betrag.")
    return dict(pair.split("=", 1) for pair in mapping)


def sentence_of(refusal: Refused) -> str:
    """All that was refused: the sentence, and each fault that it does not hold."""
    more = [error.message for error in refusal.errors if error.message not in refusal.message]
    return "\n".join([refusal.message, *more])
