"""A good file with one to three faults of the catalogue somewhere in it: every one is found, and nothing is applied."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coop import jobs
from coop.lib import clock
from funds.models import Earning, Entry, Fund, Import
from funds.operations.earnings import rejected_lines
from funds.operations.imports import receive_file
from tests import factories as make
from tests.funds.files.catalogue import PLAIN, BadLine, bad_lines

pytestmark = pytest.mark.django_db

LINES = 8
ALONE = [line for line in bad_lines() if line.alone and not line.taken]
GOOD = next(line for line in bad_lines() if line.taken and line.name == "script in a lever").cells


@st.composite
def broken_files(draw: st.DrawFn) -> tuple[bytes, dict[int, BadLine]]:
    """The bytes, and the faults by the number of their line."""
    places = draw(st.lists(st.integers(0, LINES - 1), min_size=1, max_size=3, unique=True))
    faults = {place + 2: draw(st.sampled_from(ALONE)) for place in places}
    names = draw(st.permutations([*PLAIN, "Customer Name"]))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow(draw(st.sampled_from([str, str.upper, str.title]))(name) for name in names)
    for place in range(LINES):
        fault = faults.get(place + 2)
        cells = {**GOOD, "external_id": f"G-{place}", "Customer Name": "Contoso", **(changed(fault) if fault else {})}
        writer.writerow(cells[name] for name in names)
    text = out.getvalue()
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))
    return gzip.compress(data) if draw(st.booleans()) else data, faults


def changed(fault: BadLine) -> dict[str, str]:
    return {name: value for name, value in fault.cells.items() if name != "external_id" or not value.startswith("E-0")}


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    make.set_clock(make.EARNING)
    make.make_enrollment(make.make_location(external_id="HQ-1"))
    make.make_location(external_id="HQ-3")
    make.vendor("finance")


@given(broken=broken_files())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_fault_that_was_put_in_is_reported_and_nothing_is_applied(
    place: None, broken: tuple[bytes, dict[int, BadLine]]
) -> None:
    data, faults = broken
    with transaction.atomic():
        sent = receive_file(filename="x.csv", file=io.BytesIO(data), by=make.vendor("finance"), at=clock.now())
        jobs.check_imports(clock.now())
        checked = Import.objects.get(id=sent.pk)
        assert checked.status == "ready", checked.failure
        found = {line["line_no"]: (line["problem"], line["field"]) for line in rejected_lines(checked.pk)}
        assert found == {number: (fault.code, fault.column) for number, fault in faults.items()}
        assert checked.new == LINES - len(faults)
        assert not any(table.objects.exists() for table in (Earning, Fund, Entry))
        transaction.set_rollback(True)
