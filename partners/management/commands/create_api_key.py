"""Make an API key for a person; prints the key and nothing else, so that a script can take it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from coop.lib.errors import Refused
from partners.models import Person
from partners.operations import create_api_key


class Command(BaseCommand):
    help = "Make an API key for a person and print it. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="the person's e-mail address")
        parser.add_argument(
            "--scope", action="append", help="may be given several times; without it, all that the person may"
        )

    def handle(self, *, user: str, scope: list[str] | None, **options: Any) -> None:
        person = Person.objects.filter(email=user.lower(), is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody active here has the e-mail address {user}.")
        try:
            _, secret = create_api_key(person_id=person.id, scopes=scope, name="command line", by=None, at=clock.now())
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(secret)
