"""The image and docker-compose.yml, as far as they can be checked without an engine, and the locks."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platform.sandbox import PROJECT, bare_environment

COMPOSE = (PROJECT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("coop:")]
PROGRAMS_OF_IMAGES = {"redis": {"redis-server", "redis-cli"}, "db": {"pg_isready"}}
LOCKS = sorted((PROJECT / "requirements").glob("*.txt"))


def documented() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def filled(value: str, variables: dict[str, str]) -> str:
    """Put variables into a value the way compose does."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: variables.get(found[1]) or found[2] or "", value)


def test_the_production_shape_has_its_parts() -> None:
    assert set(SERVICES) == {"db", "redis", "migrate", "web", "worker", "beat"}


def test_whatever_dies_is_started_again_and_the_preparation_is_not() -> None:
    restarts = {name: service["restart"] for name, service in SERVICES.items()}
    assert restarts.pop("migrate") == "no"
    assert set(restarts.values()) == {"unless-stopped"}


def test_every_variable_of_compose_is_documented_and_every_documented_one_is_used() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE))
    assert used == set(documented()) - {"COMPOSE_PROJECT_NAME"}  # that one is read by compose itself


def test_no_secret_has_a_default() -> None:
    assert [documented()[name] for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")] == [
        "",
        "",
        "",
    ]
    assert not re.findall(r"\$\{(?:SECRET_KEY|\w*PASSWORD):-[^}]+\}", COMPOSE)


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_starts_a_program_that_exists(service: str) -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    of_the_image = re.findall(r'^CMD \["([^"]+)"', dockerfile, re.MULTILINE)
    command = SERVICES[service].get("command", of_the_image[-1:] if service in OURS else [])
    test = SERVICES[service].get("healthcheck", {}).get("test", [])[1:]
    for program in {*command[:1], *test[:1]}:
        assert program in PROGRAMS_OF_IMAGES.get(service, set()) or shutil.which(
            program, path=Path(sys.executable).parent
        )


@pytest.mark.slow
def test_the_settings_are_content_with_exactly_the_variables_of_compose() -> None:
    secrets = {
        "SECRET_KEY": "only-for-this-test-3Hq0yVw8mKf5tZr1xNb7cJd2pLs9gTe4",
        "POSTGRES_PASSWORD": "word",
        "REDIS_PASSWORD": "word",
    }
    given = {name: filled(value, {**documented(), **secrets}) for name, value in SERVICES["web"]["environment"].items()}
    of_the_image = {
        "MEDIA_ROOT": "/var/lib/coop/files",
        "STATIC_ROOT": "/app/staticfiles",
        "COOP_HOME": "/tmp/coop",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env=bare_environment(**given, **of_the_image),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_address_and_hashes_everything(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?:|file:|--(?:find-links|index|extra)|@ ", text)
    assert all("--hash=sha256:" in pin for pin in re.split(r"\n(?=\S)", text.strip()))


def test_the_locks_are_those_of_pyproject() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = {"base": project["project"]["dependencies"], **project["dependency-groups"]}
    for name, requirements in wanted.items():
        locked = (PROJECT / "requirements" / f"{name}.txt").read_text()
        for requirement in requirements:
            if isinstance(requirement, str):
                package = re.split(r"[\[<>=]", requirement)[0]
                assert re.search(rf"^{package}==", locked, re.MULTILINE), (
                    f"{package} is missing in {name}.txt: make lock"
                )


def test_bare_make_prints_its_commands_and_runs_nothing() -> None:
    done = subprocess.run(
        ["make", "-C", str(PROJECT), "--no-print-directory"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    targets = re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\w+) ", done.stdout, re.MULTILINE) == targets


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_the_pages_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", (PROJECT / name).read_text()))
    assert named <= targets


def test_every_module_of_the_wiring_stands_in_the_import_contract() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = {module.strip() for module in contracts[0]["layers"][0].split(":")}
    servers = set(contracts[-1]["source_modules"])
    files = {f"coop.{path.stem}" for path in (PROJECT / "coop").iterdir() if not path.name.startswith("_")}
    assert files - servers - {"coop.lib"} == listed


def test_the_image_holds_every_file_that_the_code_reads_from_the_project() -> None:
    kept = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    for app in ("coop", "partners", "funds", "claims"):
        for file in (PROJECT / app).rglob("*.py"):
            for parts in re.findall(r'BASE_DIR((?: / "[^"]+")+)', file.read_text()):
                path = "/".join(re.findall(r'"([^"]+)"', parts))
                assert path == ".coop" or any(path == name or path.startswith(f"{name}/") for name in kept), path
