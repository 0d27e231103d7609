import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.sandbox import Sandbox


@pytest.fixture
def home() -> Iterator[Path]:
    """A COOP_HOME that does not exist yet, in a folder that other users may pass through."""
    parent = Path(tempfile.mkdtemp(prefix="coop-up-", dir="/tmp"))
    parent.chmod(0o755)
    yield parent / ".coop"
    shutil.rmtree(parent)


@pytest.fixture
def sandbox(home: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(home)
    yield sandbox
    sandbox.kill_everything()
