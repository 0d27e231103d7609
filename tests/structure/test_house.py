"""The habits of this code base, held by tests: what architecture.md says of every app."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("coop", "partners", "funds", "claims")
OUR_FILES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
WRITES = {"create", "save", "delete", "update", "bulk_create", "get_or_create", "update_or_create", "bulk_update"}
# The library is glue beneath the doors; its one table (answers kept for retries) is its own.
DOORS = re.compile(r"(?<!/lib)/(web|api)/|/(tasks|web|api)\.py$|/management/")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", OUR_FILES, ids=name_of)
def test_a_file_holds_one_idea(path: Path) -> None:
    assert path.stem not in ("utils", "util", "helpers", "helper", "signals", "managers", "services")
    allowed = 650 if path.name == "models.py" else 400
    assert len(path.read_text().splitlines()) <= allowed, f"{name_of(path)} is long: it probably holds two ideas"


@pytest.mark.parametrize("path", [path for path in OUR_FILES if DOORS.search(str(path))], ids=name_of)
def test_a_door_writes_nothing_itself(path: Path) -> None:
    """Doors translate and decide nothing: a write in one goes around the operation and its rules."""
    written = [
        f"line {call.lineno}: .{call.func.attr}()"
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in WRITES
        and ("objects" in ast.unparse(call.func) or call.func.attr == "save")
    ]
    assert not written, f"{name_of(path)} writes: {written}"


def test_only_operations_of_funds_post_to_the_ledger() -> None:
    callers = {
        name_of(path)
        for path in OUR_FILES
        if "funds.ledger" in path.read_text() and re.search(r"from funds\.ledger import [^\n]*\bpost", path.read_text())
    }
    assert all(caller.startswith("funds/operations/") for caller in callers), callers


def test_entries_are_inserted_in_the_ledger_module_alone() -> None:
    inserting = re.compile(r"INSERT INTO funds_entry|Entry\.objects\.(bulk_)?create")
    assert [name_of(path) for path in OUR_FILES if inserting.search(path.read_text())] == ["funds/ledger.py"]


def test_every_operation_says_who_and_when() -> None:
    """A public function of an operations module that opens a transaction takes `at`, and `by` unless it is a job's."""
    missing = []
    for path in OUR_FILES:
        if "operations" not in str(path) or path.name == "catalog.py":
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if not any("atomic" in ast.unparse(decorator) for decorator in node.decorator_list):
                continue
            keywords = {argument.arg for argument in node.args.kwonlyargs}
            if "at" not in keywords:
                missing.append(f"{name_of(path)}: {node.name}")
    assert not missing, missing


def test_money_is_never_a_float() -> None:
    floats = [
        f"{name_of(path)}:{call.lineno}"
        for path in OUR_FILES
        for call in calls(path)
        if (isinstance(call.func, ast.Name) and call.func.id == "float")
        or (isinstance(call.func, ast.Attribute) and call.func.attr == "FloatField")
    ]
    assert not floats


def test_no_page_uses_what_the_content_security_policy_forbids() -> None:
    """Inline styles, inline scripts and handlers are refused by the browser: they would only seem to work.

    Mails have no other way than styles in their elements; their page has a policy of its own.
    """
    forbidden = re.compile(
        r"\sstyle=|<script(?![^>]*\ssrc=)[^>]*>|\son(click|load|change|submit|input|focus|blur|key[a-z]+|mouse[a-z]+)=|javascript:"
    )
    pages = [page for page in (ROOT / "templates").rglob("*.html") if page.parent.name != "mail"]
    assert pages
    assert not [name_of(page) for page in pages if forbidden.search(page.read_text())]
