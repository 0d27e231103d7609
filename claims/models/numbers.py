"""Numbers that people read to each other."""

from __future__ import annotations

import secrets

# Read aloud over the telephone without mistakes: no I, L, O, U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number(prefix: str) -> str:
    """A number such as CL-7K3M-9QPT: random, so that it tells nobody how many claims others have."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"


def new_claim_number() -> str:
    return new_number("CL")


def new_plan_number() -> str:
    return new_number("PL")
