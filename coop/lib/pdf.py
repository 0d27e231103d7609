"""Printed pages: A4 with a header, facts, tables with amounts at the right, and numbered pages.

The same content gives the same bytes, today and in ten years: the only time in a file is the one that it was given, and the
fonts lie beside the product. A letter that the font lacks is written in the nearest Latin ones, because an empty box tells
nobody anything.

    paper = Paper("Statement", subtitle="Northwind Traders", at=instant, footer="Statement 17")
    paper.facts([("Currency", "USD")])
    paper.table([Column("Day", 1), Column("What", 3), Column("Amount", 1, amount=True)], rows, total=("Total", "", "1.00"))
    data = paper.bytes()
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast

from anyascii import anyascii
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

FONTS = Path(__file__).resolve().parents[2] / "static" / "coop" / "fonts"
REGULAR, STRONG = FONTS / "inter-regular.ttf", FONTS / "inter-semibold.ttf"
MARGIN, LABEL_WIDTH = 18, 48  # millimetres
INK, MUTED, LINE = (26, 32, 44), (90, 98, 112), (214, 219, 226)


class Column(NamedTuple):
    """A column of a table: its heading, its share of the width, and whether it holds amounts, which stand at the right."""

    heading: str
    share: float
    amount: bool = False


class Sheet(FPDF):
    """The frame of every page: the footer with its text and the page's number."""

    foot = ""

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("Inter", size=8)
        self.set_text_color(*MUTED)
        self.cell(self.epw / 2, 5, self.foot)
        self.cell(self.epw / 2, 5, f"Page {self.page_no()} of {{nb}}", align=Align.R)
        self.set_text_color(*INK)


class Paper:
    """One document. `at` is the instant of the thing that is printed, never that of the printing."""

    def __init__(
        self, title: str, *, at: datetime, subtitle: str = "", footer: str = "Coop", wide: bool = False
    ) -> None:
        self.sheet = sheet = Sheet(orientation="landscape" if wide else "portrait", format="A4")
        sheet.set_creation_date(at)
        sheet.set_title(title)
        sheet.set_producer("Coop")
        sheet.set_lang("en")
        sheet.add_font("Inter", fname=REGULAR)
        sheet.add_font("Inter", style="B", fname=STRONG)
        self.letters = frozenset(cast(TTFFont, sheet.fonts["inter"]).cmap)
        sheet.foot = self.fit(footer)
        sheet.c_margin = 1.5
        sheet.set_margins(MARGIN, MARGIN, MARGIN)
        sheet.set_auto_page_break(auto=True, margin=20)
        sheet.set_draw_color(*LINE)
        sheet.set_text_color(*INK)
        sheet.add_page()
        self.write(title, size=20, strong=True, height=9)
        if subtitle:
            self.write(subtitle, size=11, muted=True, height=6)
        sheet.ln(5)

    def fit(self, text: str) -> str:
        """The text in letters that the font has."""
        known = self.letters
        return "".join(letter if letter == "\n" or ord(letter) in known else anyascii(letter) or "?" for letter in text)

    def write(
        self, text: str, *, size: float = 9.5, strong: bool = False, muted: bool = False, height: float = 5
    ) -> None:
        """A paragraph over the whole width."""
        self.sheet.set_font("Inter", style="B" if strong else "", size=size)
        self.sheet.set_text_color(*(MUTED if muted else INK))
        self.sheet.multi_cell(0, height, self.fit(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.sheet.set_text_color(*INK)

    def heading(self, text: str) -> None:
        """The heading of what follows; it never stands alone at the foot of a page."""
        if self.sheet.will_page_break(30):
            self.sheet.add_page()
        self.sheet.ln(3)
        self.write(text, size=12, strong=True, height=7)
        self.sheet.ln(1)

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Names and values, one a line; long values wrap beneath themselves."""
        sheet = self.sheet
        for name, value in facts:
            said = self.fit(value) or " "
            sheet.set_font("Inter", size=9.5)
            room = sheet.epw - LABEL_WIDTH
            lines = sheet.multi_cell(room, 5.5, said, align=Align.L, dry_run=True, output=MethodReturnValue.LINES)
            if sheet.will_page_break(5.5 * len(cast(list[str], lines))):
                sheet.add_page()
            sheet.set_text_color(*MUTED)
            sheet.cell(LABEL_WIDTH, 5.5, self.fit(name))
            sheet.set_text_color(*INK)
            sheet.multi_cell(room, 5.5, said, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        sheet.ln(3)

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, total: Sequence[str] | None = None
    ) -> None:
        """A table whose headings stand on each page; `total` is its last row."""
        sheet = self.sheet
        sheet.set_font("Inter", size=8.5)
        with sheet.table(
            col_widths=tuple(column.share for column in columns),
            text_align=tuple(Align.R if column.amount else Align.L for column in columns),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=MUTED),
            line_height=5,
            padding=(0.7, 1.5),
            width=sheet.epw,
        ) as table:
            table.row([column.heading for column in columns])
            for row in rows:
                table.row([self.fit(cell) for cell in row])
            if total is not None:
                table.row([self.fit(cell) for cell in total], style=FontFace(emphasis="BOLD"))
        sheet.ln(4)

    def bytes(self) -> bytes:
        return bytes(self.sheet.output())
