"""What `manage.py up` cannot do, it says in one sentence that tells what to do instead."""

import os
import socket
from pathlib import Path

import pytest

from tests.platform.sandbox import start_and_fail

pytestmark = [pytest.mark.platform, pytest.mark.slow]

SECRET = "only-for-this-test-3Hq0yVw8mKf5tZr1xNb7cJd2pLs9gTe4"
REAL = {"SECRET_KEY": SECRET, "ALLOWED_HOSTS": "coop.vendor.example", "MEDIA_ROOT": "/tmp"}


def one_sentence(said: str) -> str:
    assert len(said.splitlines()) == 1, said
    return said


def test_a_busy_port_that_was_asked_for_is_named(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = one_sentence(start_and_fail(COOP_HOME=str(home), PORT=str(port)))
    assert said == f"Port {port} cannot be used here (taken, or not allowed): choose another with PORT=."


def test_a_port_that_is_no_port_is_refused(home: Path) -> None:
    said = one_sentence(start_and_fail(COOP_HOME=str(home), PORT="http"))
    assert said == "PORT must be a number from 1 to 65535, not 'http'."


def test_a_time_that_is_no_instant_is_refused(home: Path) -> None:
    said = one_sentence(start_and_fail(COOP_HOME=str(home), NOW="next summer"))
    assert said == "NOW must be an instant such as 2023-07-01T00:00:00Z, not 'next summer'."


def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    home.touch()
    said = one_sentence(start_and_fail(COOP_HOME=str(home)))
    assert said == f"{home} must be a folder but a file is in its way: move the file, or set COOP_HOME."


def test_a_home_that_cannot_be_written_is_refused(home: Path) -> None:
    nowhere = Path("/proc/coop")  # not even root may make a folder there
    said = one_sentence(start_and_fail(COOP_HOME=str(nowhere)))
    assert said.startswith(f"{nowhere} cannot be used (")
    assert said.endswith("make it writable, or set COOP_HOME to another folder.")


def test_a_home_with_a_garbled_database_is_refused_and_left_as_it_is(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_bytes(b"\xffgarbage")
    said = one_sentence(start_and_fail(COOP_HOME=str(home)))
    assert "holds no database of PostgreSQL 18" in said
    assert f"or delete {home} to begin anew" in said
    assert (home / "postgres" / "PG_VERSION").read_bytes() == b"\xffgarbage"


def test_a_home_whose_database_lost_its_files_is_refused(home: Path) -> None:
    (home / "postgres").mkdir(parents=True, mode=0o700)
    (home / "postgres" / "PG_VERSION").write_text("18\n")
    said = one_sentence(start_and_fail(COOP_HOME=str(home)))
    assert said.startswith("PostgreSQL did not start: ")
    assert said.endswith(f"if the data may go, delete {home}.")


def test_a_database_address_without_a_broker_address_is_refused(home: Path) -> None:
    said = one_sentence(start_and_fail(COOP_HOME=str(home), DATABASE_URL="postgresql://coop@nowhere/coop"))
    assert "REDIS_URL must be set too" in said


def test_a_broker_address_without_a_database_address_is_refused(home: Path) -> None:
    said = one_sentence(start_and_fail(COOP_HOME=str(home), REDIS_URL="redis://nowhere"))
    assert "DATABASE_URL is not" in said


def test_a_database_that_is_not_there_is_named(home: Path) -> None:
    address = "postgresql://coop:hidden-word@127.0.0.1:1/coop"
    said = one_sentence(
        start_and_fail(COOP_HOME=str(home), DATABASE_URL=address, REDIS_URL="redis://127.0.0.1:1", **REAL)
    )
    assert said.startswith("The database of DATABASE_URL cannot be reached (")
    assert "hidden-word" not in said


def test_a_broker_that_is_not_there_is_named(home: Path) -> None:
    # the database of the test run stands in for a real one
    address = f"postgresql://coop@{os.environ['COOP_HOME'].replace('/', '%2F')}%2Fpostgres/postgres"
    said = one_sentence(
        start_and_fail(COOP_HOME=str(home), DATABASE_URL=address, REDIS_URL="redis://127.0.0.1:1", **REAL)
    )
    assert said.startswith("The broker of REDIS_URL cannot be reached (")
