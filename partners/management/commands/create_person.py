"""Add a person from the shell: the first one of a new installation, who then adds the others."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib import clock
from coop.lib.errors import Refused
from partners.operations import create_person
from partners.states import TITLES, VENDOR_ROLES


class Command(BaseCommand):
    help = "Add a person of the vendor, such as the first program admin of a new installation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", choices=VENDOR_ROLES, default="program_admin")
        parser.add_argument("--title", choices=list(TITLES), default="")

    def handle(self, *, email: str, name: str, role: str, title: str, **options: Any) -> None:
        try:
            person = create_person(email=email, name=name, role=role, title=title, by=None, at=clock.now())
        except Refused as refusal:
            raise CommandError(" ".join(error.message for error in refusal.errors) or refusal.message) from None
        self.stdout.write(f"{person.email} is there. Give a password with: manage.py changepassword {person.email}")
