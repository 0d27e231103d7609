"""The servers of the test run: a real PostgreSQL and a real broker, started once and thrown away.

Loaded by `-p tests.services` before anything imports the settings. The run gets a COOP_HOME of its own, so that
the settings find the servers as they do in a sandbox. The database is migrated once into `coop_template`; every
test process copies that file by file (DATABASES["default"]["TEST"]["TEMPLATE"]).
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from coop.embedded import prepare_home
from coop.servers import Broker, Postgres
from tests.truncate import KEEP_MIGRATED_ROWS

SPACE_NEEDED = 1_000_000_000  # bytes; a container's /dev/shm often has only 64 MB
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}
TEMPLATE = "coop_template"


def _make_home() -> Path:
    """Make the folder of this run, in memory if there is room, and remove those of runs that were killed."""
    shared_memory = Path("/dev/shm")
    roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > SPACE_NEEDED
    parent = shared_memory if roomy else Path(tempfile.gettempdir())
    for left_over in parent.glob("coop-tests-*"):
        pid = left_over.name.split("-")[2]
        if not Path(f"/proc/{pid}").exists() and Path("/proc").is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"coop-tests-{os.getpid()}-", dir=parent))


IN_CONTROLLER = "PYTEST_XDIST_WORKER" not in os.environ
if IN_CONTROLLER:
    for outside in ("DATABASE_URL", "REDIS_URL"):  # never anybody's real database
        os.environ.pop(outside, None)
    os.environ["COOP_HOME"] = str(_make_home())
os.environ["COOP_TESTING"] = "1"
# Playwright's loop stays in its thread; without this, later tests of that process could not use the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


class Services:
    """Starts the servers before the test processes and stops them after."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.postgres = Postgres(home, NOT_DURABLE)
        self.broker = Broker(home)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            return
        prepare_home(self.home)
        self.postgres.start()
        self.broker.start()
        self.postgres.wait()
        self.broker.wait()
        self.postgres.query("CREATE DATABASE coop")
        with session.config.stash[blocking_manager_key].unblock():
            call_command("migrate", verbosity=0, interactive=False)
            connection.close()
        self.postgres.query(KEEP_MIGRATED_ROWS, "coop")
        self.postgres.query(f"ALTER DATABASE coop RENAME TO {TEMPLATE}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self.broker.stop()
        self.postgres.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    if IN_CONTROLLER:
        config.pluginmanager.register(Services(Path(os.environ["COOP_HOME"])), "coop-services")
