"""Printed pages: what stands on them, and that they are the same bytes each time."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from pypdf import PdfReader

from coop.lib.pdf import Column, Paper

AT = datetime(2024, 3, 15, 10, 30, tzinfo=UTC)
COLUMNS = [Column("Claim", 3), Column("Amount", 1, amount=True)]


def paper(rows: int = 3, *, name: str = "Northwind Traders", at: datetime = AT) -> bytes:
    made = Paper("Remittance advice", subtitle="Payment 17", at=at, footer="Payment 17")
    made.facts([("Payee", name), ("Amount", "6,000.33 USD")])
    made.heading("What it is for")
    made.table(COLUMNS, [(f"Claim {n}", f"{n}.00") for n in range(rows)], total=("Total", "6,000.33"))
    return made.bytes()


def pages_of(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]


def test_the_same_content_gives_the_same_bytes() -> None:
    assert paper() == paper()


def test_another_amount_or_instant_gives_other_bytes() -> None:
    assert paper(3) != paper(4)
    assert paper() != paper(at=AT.replace(day=16))


def test_the_only_time_in_the_file_is_the_one_it_was_given() -> None:
    assert PdfReader(io.BytesIO(paper())).metadata.creation_date == AT  # type: ignore[union-attr]


def test_a_long_table_repeats_its_headings_and_numbers_its_pages() -> None:
    pages = pages_of(paper(200))
    assert len(pages) > 3
    assert all("Claim\nAmount" in page or "Claim Amount" in page for page in pages)
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, start=1))
    assert "Total" in pages[-1]


def test_european_names_are_printed_as_they_are_written() -> None:
    (page,) = pages_of(paper(name="Łódź Żółć, Şişli Çağdaş, Øresund Bjørn, Fußgänger Straße, Ősi Győr"))
    assert "Łódź Żółć, Şişli Çağdaş, Øresund Bjørn, Fußgänger Straße, Ősi Győr" in page


def test_letters_that_the_font_lacks_are_written_in_latin_ones() -> None:
    (page,) = pages_of(paper(name="Жуков и сыновья"))
    assert "Zhukov i synov'ya" in page
