"""Whatever is sent is read, or refused with a sentence: no damage ends in an error of ours."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from coop.lib.errors import Refused
from funds.files import open_sheet
from tests.funds.files.bad_files import GOOD, gzip, workbook

PARTS = (
    "xl/worksheets/sheet1.xml",
    "xl/workbook.xml",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "[Content_Types].xml",
    "xl/_rels/workbook.xml.rels",
)
SNIPPETS = st.sampled_from(
    [
        *(
            "",
            "<",
            ">",
            '"',
            "/>",
            "&amp;",
            "&x;",
            "99999999999999999999",
            "-1",
            "1E309",
            "NaN",
            "\xff",
            "<f>1</f>",
            ' t="s"',
            ' t="d"',
        ),
        *(' t="e"', ' s="9"', ' r="ZZZZ9"', ' r="A0"', ' r="9999999"', "<c/>", "<row/>", "</row>", "<v>x</v>"),
    ]
).map(lambda text: text.encode("latin-1"))


@cache
def parts_of_workbook() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_or_refused(data: bytes) -> None:
    try:
        sheet = open_sheet(io.BytesIO(data))
        for chunk in sheet.chunks() or ():
            chunk.decode()
        for _, cells, problem, message in sheet.rows():
            assert cells is None or all(isinstance(cell, str) for cell in cells)
            assert bool(problem) == bool(message)
    except Refused:
        return


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    read_or_refused(data)
    read_or_refused(GOOD[:60] + data)


@given(
    whole=st.sampled_from([GOOD, gzip(), GOOD.decode().encode("utf-16"), workbook()]),
    place=st.floats(0, 1),
    bytes_in=st.binary(max_size=4),
    gone=st.integers(0, 4),
)
@settings(max_examples=200, deadline=None)
def test_a_few_bytes_broken_anywhere(whole: bytes, place: float, bytes_in: bytes, gone: int) -> None:
    at = int(place * len(whole))
    read_or_refused(whole[:at] + bytes_in + whole[at + gone :])


@given(part=st.sampled_from(PARTS), place=st.floats(0, 1), snippet=SNIPPETS, gone=st.integers(0, 30))
@settings(max_examples=300, deadline=None)
def test_a_workbook_that_somebody_wrote_by_hand(part: str, place: float, snippet: bytes, gone: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts_of_workbook().items():
            at = int(place * len(content))
            archive.writestr(name, content[:at] + snippet + content[at + gone :] if name == part else content)
    read_or_refused(out.getvalue())
