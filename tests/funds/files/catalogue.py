"""bad_inputs.yaml as data: what is sent, and what must come of it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.funds.files.bad_files import BUILT, HEADER, LINE, LINE2

CATALOGUE: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("bad_inputs.yaml").read_text(encoding="utf-8")
)
PLAIN = [*HEADER.split(","), "lever"]
REPORT = [
    "earningId",
    "participantId",
    "programName",
    "earningType",
    "earningDate",
    "earningAmount",
    "transactionCurrency",
    "earningAmountUSD",
    "earningExchangeRate",
    "exchangeRateDate",
]
GOOD_PLAIN = {
    "location": "HQ-1",
    "program": "mci-csp-reseller",
    "earned_on": "2023-08-15",
    "amount": "100.00",
    "currency": "USD",
    "lever": "",
}
GOOD_REPORT = {
    "participantId": "HQ-1",
    "programName": "mci-csp-reseller",
    "earningType": "Coop",
    "earningDate": "2023-08-15T00:00:00Z",
    "earningAmount": "100.00",
    "transactionCurrency": "USD",
    "earningAmountUSD": "100.00",
    "earningExchangeRate": "1",
    "exchangeRateDate": "2023-08-15",
}


@dataclass(frozen=True)
class BadLine:
    name: str
    cells: dict[str, str]
    code: str
    column: str
    alone: bool  # bad in whatever company
    api: str | None  # the code by which the API refuses it; None where it cannot be sent so

    @property
    def taken(self) -> bool:
        return not self.code


@dataclass(frozen=True)
class BadFile:
    name: str
    data: bytes
    filename: str
    when: str  # "door" and "check"; empty where the file is taken
    code: str
    column: str
    says: str
    new: int
    rejected: list[str]

    def __str__(self) -> str:
        return self.name


def bad_lines() -> list[BadLine]:
    return [bad_line(entry, f"E-{n:03}", GOOD_PLAIN, "external_id") for n, entry in enumerate(CATALOGUE["lines"])]


def bad_reports() -> list[BadLine]:
    return [bad_line(entry, f"R-{n:03}", GOOD_REPORT, "earningId") for n, entry in enumerate(CATALOGUE["reports"])]


def bad_line(entry: dict[str, Any], external_id: str, good: dict[str, str], key: str) -> BadLine:
    said = {name: text_of(value) for name, value in entry["cells"].items()}
    api = entry.get("api", entry["code"])
    return BadLine(
        name=entry["name"],
        cells={key: external_id, **good, **said},
        code=entry["code"],
        column=entry.get("column", ""),
        alone=entry.get("alone", True),
        # YAML reads "no" as false.
        api=api or None,
    )


def text_of(value: Any) -> str:
    return value["repeat"] * value["times"] if isinstance(value, dict) else str(value)


def as_csv(lines: list[BadLine], names: list[str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([line.cells[name] for name in names] for line in lines)
    return out.getvalue().encode()


def bad_files() -> list[BadFile]:
    return [bad_file(entry) for entry in CATALOGUE["files"]]


def bad_file(entry: dict[str, Any]) -> BadFile:
    return BadFile(
        name=entry["name"],
        data=bytes_of(entry),
        filename=entry.get("filename", "earnings.csv"),
        when=entry.get("when", ""),
        code=entry.get("code", ""),
        column=entry.get("column", ""),
        says=entry.get("says", ""),
        new=entry.get("new", 0),
        rejected=entry.get("rejected", []),
    )


def bytes_of(entry: dict[str, Any]) -> bytes:
    if "build" in entry:
        return BUILT[entry["build"]]()
    text = entry["hex" if "hex" in entry else "file"]
    for mark, value in (("{header}", HEADER), ("{line}", LINE), ("{line2}", LINE2)):
        text = text.replace(mark, value)
    for old, new in entry.get("replace", {}).items():
        text = text.replace(old, new)
    if "hex" in entry:
        # Bytes that are no text are written as \xff.
        return text.encode().decode("unicode_escape").encode("latin-1")  # type: ignore[no-any-return]
    return text.encode(entry.get("encoding", "utf-8"))  # type: ignore[no-any-return]
