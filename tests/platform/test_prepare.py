"""What happens between the servers' start and that of the web."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from coop.management.commands.prepare import collect_static_files, static_digest
from coop.people import PASSWORD
from coop.story.welcome import welcome


def test_static_files_are_collected_again_only_after_a_change(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    collect_static_files()
    collected = next(settings.STATIC_ROOT.rglob("*.css"))
    collected.unlink()
    collect_static_files()
    assert not collected.exists(), "nothing changed, so nothing was to be done"
    (tmp_path / "static.digest").write_text("of an older version")
    collect_static_files()
    assert collected.exists()
    assert (tmp_path / "static.digest").read_text() == static_digest()


@pytest.mark.django_db
def test_the_welcome_names_everybody_of_an_empty_sandbox_with_the_password() -> None:
    call_command("load_people")
    text = welcome()
    for name in ("program", "finance", "finance2", "manager", "pcmm", "gtm", "auditor"):
        assert f"  {name}@vendor.example " in text
    assert PASSWORD in text


def test_a_real_installation_cannot_be_filled_with_demo_people(settings: Settings) -> None:
    settings.SANDBOX = False
    with pytest.raises(CommandError, match="this is none"):
        call_command("prepare", "--new")
