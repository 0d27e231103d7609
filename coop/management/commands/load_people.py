"""Make the vendor's people of an empty sandbox."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib.errors import Refused
from coop.people import load_vendor_people


class Command(BaseCommand):
    help = "Sandbox only: make the vendor's people, with the sandbox's password."

    def handle(self, **options: Any) -> None:
        try:
            people = load_vendor_people()
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{len(people)} people of the vendor are there")
