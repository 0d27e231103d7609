"""Finding activities by words; where none fits, the nearest by spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from claims.queries.offers import Offer

WORD = re.compile(r"\w+")
NEAREST = 3


def words_of(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def text_of(offer: Offer) -> list[str]:
    """All words that an activity may be found by."""
    proofs = " ".join(proof.text for proof in offer.proofs)
    results = " ".join(result.name for result in offer.results)
    said = f"{offer.activity.name} {offer.activity.description} {offer.category} {proofs} {results}"
    return words_of(said)


def find(offers: Sequence[Offer], text: str) -> list[Offer]:
    """The activities in which each of the words begins a word; those with all of them in their names first."""
    wanted = words_of(text)
    if not wanted:
        return list(offers)
    found = [offer for offer in offers if all(begins(word, text_of(offer)) for word in wanted)]
    return sorted(found, key=lambda offer: not all(begins(word, words_of(offer.activity.name)) for word in wanted))


def begins(word: str, words: Sequence[str]) -> bool:
    return any(known.startswith(word) for known in words)


def nearest(offers: Sequence[Offer], text: str) -> list[Offer]:
    """The three activities whose words are spelled most like those that were looked for."""
    wanted = words_of(text)

    def likeness(offer: Offer) -> tuple[int, str]:
        known = set(text_of(offer))
        best = (max((like(word, other) for other in known), default=0) for word in wanted)
        return -sum(best), offer.activity.name

    return sorted(offers, key=likeness)[:NEAREST]


def like(word: str, other: str) -> int:
    """How alike two words are, from 0 to 1000."""
    if abs(len(word) - len(other)) > max(len(word), 4):
        return 0
    return round(1000 * SequenceMatcher(None, word, other, autojunk=False).ratio())
