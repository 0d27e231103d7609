"""Which events of money are told to whom, in which words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from partners.audience import Audience
from partners.models import Event
from partners.telling import ToldOf

VERBS: dict[str, Callable[[Sequence[Event], Audience], Iterable[ToldOf]]] = {}
