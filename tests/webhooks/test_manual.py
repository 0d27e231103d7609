"""What docs/webhooks.md tells receivers to do works as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coop.lib import clock
from partners.hooks.sending import send_deliveries
from partners.hooks.signing import unseal
from partners.models import Person, Webhook
from tests.webhooks.conftest import happen
from tests.webhooks.receiver import Receiver

MANUAL = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.+?)```", MANUAL, flags=re.DOTALL)
    return str(found)


@pytest.mark.django_db
def test_a_message_verifies_as_the_manual_says(
    hook: Webhook, owner: Person, receiver: Receiver, tmp_path: Path
) -> None:
    happen(owner.partner)
    send_deliveries(at=clock.now())
    [message] = receiver.taken
    secret = unseal(hook.secret)
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - it is our own manual
    assert names["verify"](secret, message.headers, message.body)
    assert not names["verify"](secret, message.headers, message.body + b" ")
    assert not names["verify"](secret, {**message.headers, "webhook-timestamp": "1700000000"}, message.body)

    if shutil.which("openssl") is None:
        return
    (tmp_path / "body.json").write_bytes(message.body)
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET": secret,
        "WEBHOOK_ID": message.id,
        "WEBHOOK_TIMESTAMP": message.headers["webhook-timestamp"],
    }
    said = subprocess.run(["sh", "-c", block("sh")], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert f"v1,{said.stdout.decode().strip()}" == message.headers["webhook-signature"]
