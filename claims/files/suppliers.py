"""How a supplier's name and an invoice's number are written the same way whoever typed them.

The keys only find what may be the same: they are compared, never shown. A changed rule here needs the stored keys made
anew (claims/migrations/0006 shows how).
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

KEY_LENGTH = 80
# What companies are called beside their name, in the countries that partners write invoices from.
LEGAL_FORMS = frozenset(
    """ab ag aktiengesellschaft aps as asa bhd bv bvba co company corp corporation cv doo dd ehf ek ev gbr gk gmbh group
    haftungsbeschrankt holding holdings inc incorporated inh ka kft kg kgaa kk lda limited llc llp lp ltd ltda mbh nv ohg
    oood ou oy oyj plc pte pty pvt rt sa saa sab sapi sarl sas sasu sc sci scs sdn se sgps sia sl slu snc sp spa spj spk
    spolka srl sro srls tbk ug vof zoo zrt""".split()
)
FILLERS = frozenset(("and", "the", "und", "et", "of"))
# Written without spaces around them, so they are taken out before the letters are made Latin.
CJK_FORMS = re.compile(
    "株式会社|有限会社|合同会社|合名会社|合資会社|股份有限公司|有限责任公司|有限公司|주식회사|유한회사|[(](?:株|有|주)[)]"
)
UMLAUT = re.compile("([aou])e")  # Mueller is Müller
# What stands before a number on an invoice and is typed with it, or is not.
NUMBER_WORDS = frozenset(
    """bill document facture factura fattura faktura inv invoice invoiceno invoicenr n no nr num number numero re
    rechnung rechnungsnr rechnungsnummer rg ref""".split()
)


def supplier_key(name: str) -> str:
    """The name without letter case, accents, script, punctuation, and what kind of company it is.

    “Fabrikam Print GmbH & Co. KG”, “FABRIKAM-PRINT” and “Fabrikam Print Inc.” are one. Empty for an empty name.
    """
    plain = CJK_FORMS.sub(" ", unicodedata.normalize("NFKC", name))
    text = latin(plain).lower().replace("'", "").replace("&", " and ")
    words = re.findall(r"[a-z0-9]+", text)
    kept = joined_letters([word for word in words if word not in FILLERS] or words)
    # From the end only: “AS Roma” and “SE Labs” begin with a word that is a form elsewhere.
    while len(kept) > 1 and kept[-1] in LEGAL_FORMS:
        kept.pop()
    return UMLAUT.sub(r"\1", "".join(kept))[:KEY_LENGTH]


def joined_letters(words: list[str]) -> list[str]:
    """Single letters one after the other are one word: S.A.R.L., B. V."""
    found: list[str] = []
    single = False
    for word in words:
        if single and len(word) == 1:
            found[-1] += word
        else:
            found.append(word)
        single = len(word) == 1
    return found


def number_key(number: str) -> str:
    """The number's groups of letters and digits, without zeros in front and without “Invoice no.” before it.

    “INV-00123”, “inv 123” and “123” are one; “1-11” and “11-1” stay two. Empty for an empty number.
    """
    groups = re.findall(r"[A-Z]+|[0-9]+", latin(number).upper())
    groups = [group.lstrip("0") or "0" if group.isdigit() else group for group in groups]
    first = next((place for place, group in enumerate(groups) if group.lower() not in NUMBER_WORDS), 0)
    return "-".join(groups[first:])[:KEY_LENGTH]


def latin(text: str) -> str:
    """The text in plain Latin letters: without accents, and other scripts as they sound."""
    decomposed = unicodedata.normalize("NFKD", text)
    return anyascii("".join(letter for letter in decomposed if not unicodedata.combining(letter)))
