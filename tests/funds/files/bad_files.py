"""Files that cannot be written down in bad_inputs.yaml: packed, cut, exploding, or made by a spreadsheet."""

from __future__ import annotations

import gzip as gz
import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

from openpyxl import Workbook

HEADER = "external_id,location,program,earned_on,amount,currency"
LINE = "E1,HQ-1,mci-csp-reseller,2023-08-15,5.00,USD"
LINE2 = "E2,HQ-1,mci-csp-reseller,2023-08-16,6.00,USD"
GOOD = f"{HEADER}\n{LINE}\n{LINE2}\n".encode()
NAMES = HEADER.split(",")
DAY = date(2023, 8, 15)


def lines(count: int, *, lever: str = "") -> bytes:
    return "".join(f"E{n},HQ-1,mci-csp-reseller,2023-08-15,5.00,USD{lever}\n" for n in range(count)).encode()


# --- Text ---------------------------------------------------------------------------------------------------------------


def broken_letter_far_below() -> bytes:
    """In line 20,002; letters that are UTF-8 stand above it, so the file is no other encoding."""
    good = f"{HEADER},lever\n".encode() + lines(20_000, lever=",Müller")
    return good + b"X1,HQ-1,mci-csp-reseller,2023-08-15,5.00,USD,M\xffller\n"


def half_of_utf16() -> bytes:
    return GOOD.decode().encode("utf-16")[:-1]


def quote_over_many_lines() -> bytes:
    cells = ",".join(f'"{"x" * 100_000}\n"' for _ in range(15))
    return f"{HEADER}\n{cells}\n{LINE2}\n".encode()


def one_long_line() -> bytes:
    return f"{HEADER}\n{LINE}\nE2,".encode() + b"x," * 1_500_000 + b"\n"


def one_long_cell() -> bytes:
    return f"{HEADER}\nE1,{'x' * 200_000},mci-csp-reseller,2023-08-15,5.00,USD\n".encode()


def many_columns() -> bytes:
    return (HEADER + "".join(f",c{n}" for n in range(500)) + "\n").encode()


# --- gzip ---------------------------------------------------------------------------------------------------------------


def gzip() -> bytes:
    return gz.compress(f"{HEADER}\n{LINE}\n".encode())


def cut_gzip() -> bytes:
    whole = gz.compress(f"{HEADER}\n".encode() + lines(50_000))
    return whole[: len(whole) // 2]


def very_cut_gzip() -> bytes:
    return gzip()[:12]


def damaged_gzip() -> bytes:
    whole = bytearray(gzip())
    whole[-8] ^= 1  # of its checksum
    return bytes(whole)


def gzip_with_garbage() -> bytes:
    return gzip() + b"and more"


def gzip_of_two() -> bytes:
    return gzip() + gz.compress(LINE2.encode())


def gzip_in_gzip() -> bytes:
    return gz.compress(gzip())


def gzip_of_workbook() -> bytes:
    return gz.compress(workbook())


def gzip_that_lies() -> bytes:
    """Its last bytes say that it unpacks to 300 MB."""
    return gzip()[:-4] + struct.pack("<I", 300_000_000)


def gzip_bomb() -> bytes:
    return gz.compress(GOOD + f"{LINE}\n".encode() * 500_000)


# --- Workbooks ----------------------------------------------------------------------------------------------------------


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def made(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def row(number: int, amount: Any = 5, **more: Any) -> list[Any]:
    cells = {
        "external_id": f"E{number}",
        "location": "HQ-1",
        "program": "mci-csp-reseller",
        "earned_on": DAY,
        "amount": amount,
        "currency": "USD",
        **more,
    }
    return list(cells.values())


def workbook() -> bytes:
    return made(NAMES, row(1, 0.1 + 0.2 + 4.7), [], row(2, "6.00", earned_on="2023-08-16"))


def empty_workbook() -> bytes:
    return made()


def workbook_with_a_header() -> bytes:
    return made(NAMES)


def workbook_with_formula() -> bytes:
    return made(NAMES, row(1), row(2, "=1+1"))


def workbook_with_computed_formula() -> bytes:
    """As Excel saves it: the formula, and beside it the number that it was at the time."""
    return rewritten(made(NAMES, row(1, 77)), "xl/worksheets/sheet1.xml", b"<v>77</v>", b"<f>70+7</f><v>77</v>")


def workbook_with_harmless_formula() -> bytes:
    return made([*NAMES, "note"], [*row(1), "=1+1"])


def workbook_with_long_number() -> bytes:
    return made(NAMES, row(1, external_id=1.2345678901234567e16))


def workbook_with_comma_in_a_text() -> bytes:
    """A number of three decimals, which would be a thousand if the text below it made the comma the decimal mark."""
    return made(NAMES, row(1, 1.234), row(2, "5,50"), row(3, 7.5))


def workbook_of_two_sheets() -> bytes:
    book = Workbook()
    book.active.append(["How to read this report"])
    for cells in (NAMES, row(1)):
        (book["Lines"] if "Lines" in book.sheetnames else book.create_sheet("Lines")).append(cells)
    return saved(book)


def cut_workbook() -> bytes:
    return workbook()[:-100]


def rewritten(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something replaced in one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return out.getvalue()


def zip_bomb() -> bytes:
    return rewritten(workbook(), "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + b" " * 50_000_000)


def lying_zip() -> bytes:
    """The table of the ZIP says that the sheet has 60 bytes."""
    data = bytearray(workbook())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    size, lie = struct.pack("<I", info.file_size), struct.pack("<I", 60)
    for place in (info.header_offset + 22, data.rindex(b"xl/worksheets/sheet1.xml") - 46 + 24):
        assert data[place : place + 4] == size
        data[place : place + 4] = lie
    return bytes(data)


def billion_laughs() -> bytes:
    entities = b'<!DOCTYPE worksheet [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return rewritten(workbook(), "xl/worksheets/sheet1.xml", b"<worksheet", entities + b"<worksheet")


def laughs_behind_a_comment() -> bytes:
    comment = b"<!-- <worksheet " + b" " * 100_000 + b" --><!DOCTYPE worksheet []>"
    return rewritten(workbook(), "xl/worksheets/sheet1.xml", b"<worksheet", comment + b"<worksheet")


def workbook_with_endless_row() -> bytes:
    return rewritten(workbook(), "xl/worksheets/sheet1.xml", b"</row>", b"<c/>" * 300_000 + b"</row>")


def workbook_with_damaged_part() -> bytes:
    data = bytearray(workbook())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    data[info.header_offset + 30 + len(info.filename) + 20] ^= 255
    return bytes(data)


def zip_of_csv() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("earnings.csv", GOOD)
    return out.getvalue()


BUILT: dict[str, Callable[[], bytes]] = {
    name: made_by for name, made_by in list(globals().items()) if callable(made_by) and not isinstance(made_by, type)
}
