"""The documents say what is true: names in them resolve to what is there."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from coop.jobs import JOBS
from coop.timetable import TIMETABLE
from funds import states

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RULES = (ROOT / "docs" / "rules.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
LARGEST_IMAGE = 200_000  # bytes
# Read by the code, but not for whoever runs it: they are set by Django, the image and the tests themselves.
NOT_FOR_OPERATORS = {"DJANGO_SETTINGS_MODULE", "PYTHONUNBUFFERED", "EMPTY"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def sections(text: str) -> dict[str, str]:
    """The parts under "### ..." headings, by heading."""
    return {part.partition("\n")[0]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}


# --- Rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", sections(RULES))
def test_a_rule_has_an_example_and_names_a_test_that_exists(rule: str) -> None:
    text = sections(RULES)[rule]
    assert "\nExample: " in text
    (named,) = re.findall(r"^Test: `(.+)`$", text, flags=re.MULTILINE)
    path, _, function = named.partition("::")
    assert (ROOT / path).exists(), named
    defined = {
        node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)
    }
    assert function in defined, named


def test_rules_are_numbered_without_gaps() -> None:
    for letter in "RCM":
        numbers = [int(number) for number in re.findall(rf"^### {letter}(\d+)\. ", RULES, flags=re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1)), letter


def test_every_rule_of_the_rules_kernel_stands_in_the_document() -> None:
    kernel = "".join(path.read_text() for path in (ROOT / "claims" / "rules" / "kinds").glob("*.py"))
    numbered = set(re.findall(r'"""(R\d+): ', kernel))
    assert numbered == set(re.findall(r"^### (R\d+)\. ", RULES, flags=re.MULTILINE))


def test_the_table_of_movements_is_that_of_the_code() -> None:
    ledger = (ROOT / "docs" / "ledger.md").read_text()
    told = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", ledger, flags=re.MULTILINE)
    assert set(told) == {(kind, *way) for kind, ways in states.MOVEMENTS.items() for way in ways}


def test_every_kind_of_posting_has_a_worked_example() -> None:
    ledger = (ROOT / "docs" / "ledger.md").read_text()
    told = re.findall(r"^- (`\w+`.*): `(tests/scenarios/\w+\.py)::(\w+)`$", ledger, flags=re.MULTILINE)
    for _, path, function in told:
        assert f"def {function}(" in (ROOT / path).read_text(), f"{path}::{function}"
    kinds = {kind for names, _, _ in told for kind in re.findall(r"`(\w+)`", names)}
    assert set(states.MOVEMENTS) - kinds == set()


# --- Commands and variables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_commands_that_a_document_names_exist(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text, flags=re.MULTILINE)) <= targets
    ours = {name for name, app in get_commands().items() if app in {"coop", "funds", "partners"}}
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert named <= ours | {"check", "changepassword", "migrate", "shell"}


def test_every_variable_that_the_code_reads_is_documented() -> None:
    code = "\n".join(
        path.read_text() for app in ("coop", "partners", "funds", "claims") for path in (ROOT / app).rglob("*.py")
    )
    read = set(re.findall(r"""(?:os\.environ(?:\.get\(|\[|\.setdefault\()|required\()["'](\w+)["']""", code))
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", OPERATIONS))
    assert read - NOT_FOR_OPERATORS <= documented
    assert "EMPTY" in documented


def test_every_variable_of_compose_stands_in_its_example_file() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"\$\{(\w+)", compose)) <= set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE))


def test_the_timetable_in_the_document_is_that_of_the_code() -> None:
    assert set(re.findall(r"`(coop\.\w+)`", OPERATIONS)) == {entry["task"] for entry in TIMETABLE.values()}


def test_the_table_of_jobs_in_the_document_is_the_list_of_the_code() -> None:
    rows = [f"| {job.how_often} | `{job.task}` | {job.title} |" for job in JOBS]
    assert "\n".join(rows) in OPERATIONS


def test_the_version_in_the_documents_is_the_products() -> None:
    assert f'version = "{settings.VERSION}"' in (ROOT / "pyproject.toml").read_text()


# --- Links and pictures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_decision_stands_in_the_index_under_its_own_title() -> None:
    folder = ROOT / "docs" / "adr"
    index = dict(re.findall(r"^\d+\. \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), flags=re.MULTILINE))
    files = {path.name: path.read_text().partition("\n")[0] for path in folder.glob("0*.md")}
    assert {name: re.sub(r"^# \d+\. ", "", title) for name, title in files.items()} == {
        name: title for title, name in index.items()
    }


def test_pictures_are_small_and_all_of_them_are_shown() -> None:
    readme = (ROOT / "README.md").read_text()
    pictures = sorted((ROOT / "docs" / "images").glob("*.png"))
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_IMAGE, picture.name
        assert f"docs/images/{picture.name}" in readme, picture.name
