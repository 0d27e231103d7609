"""Tell the demo story into an empty sandbox."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coop.lib.dates import show_instant
from coop.lib.errors import Refused
from coop.story.load import load_story


class Command(BaseCommand):
    help = "Sandbox only: make the people, partners, money and claims of the demo story."

    def handle(self, **options: Any) -> None:
        try:
            ends = load_story()
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"story loaded: the clock stands at {show_instant(ends)}")
