"""The shape of a refusal.

An operation that will not do what it was asked raises a `Refused`. It never returns False. A refusal carries a stable
`code` (for programs), a sentence fit for a partner (what was seen, what the rule wants, what to do) and, where there is
more than one thing to mend, a list of field errors or findings. The doors turn it into a page or into RFC 9457 problem
details; nobody else catches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One thing that is wrong, at its place. `field` is the name the client used, e.g. `lines.3.amount`."""

    field: str
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class Refused(Exception):
    """Base of every refusal. `status` is the HTTP status that api.md gives to the code."""

    code = "refused"
    status = 409
    title = "Refused"

    def __init__(
        self,
        message: str = "",
        *,
        errors: Sequence[FieldError] = (),
        findings: Sequence[Any] = (),
    ) -> None:
        # One fault speaks for itself; several are read where they are listed.
        self.message = message or (errors[0].message if len(errors) == 1 else self.title)
        self.errors = list(errors)
        self.findings = list(findings)
        super().__init__(self.message)


class Invalid(Refused):
    """What was sent cannot be read as what was meant. All that is wrong is listed at once."""

    code, status, title = "invalid", 400, "Some of what was sent cannot be used"

    @classmethod
    def field(cls, field: str, message: str, code: str = "invalid") -> Invalid:
        return cls(message, errors=[FieldError(field, code, message)])


class NotAllowed(Refused):
    """One may see the record but not do this to it."""

    code, status, title = "not_allowed", 403, "Your role does not allow this"


class SelfDecision(Refused):
    """Nobody decides for themselves or for their own organisation, and the second person is another person."""

    code, status, title = "self_decision", 403, "This decision needs another person"


class NotFound(Refused):
    """There is no such record, or the reader may not know that there is one: both read the same."""

    code, status, title = "not_found", 404, "Not found"


class Gone(Refused):
    """It was there and was deleted, as everything of its kind is after its time."""

    code, status, title = "gone", 410, "This was deleted"


class WrongStatus(Refused):
    """The record is not in a state from which this verb leads anywhere."""

    code, status, title = "wrong_status", 409, "This cannot be done in the current state"


class InProgress(Refused):
    """The same idempotency key is still being worked on."""

    code, status, title = "in_progress", 409, "The same request is still being worked on"


class Busy(InProgress):
    """Another writer holds the record at this moment."""

    title = "Somebody else is saving here"


class Stale(Refused):
    """The record changed since the caller read it."""

    code, status, title = "stale", 412, "Somebody changed this record since you read it"


class LookAgain(Stale):
    """What was to be confirmed came out otherwise than it was shown. What it would be now is kept, to be looked at: the
    caller has committed it before this is raised, so a door must not undo it.
    """

    title = "This has changed since you looked at it"


class TooLarge(Refused):
    code, status, title = "too_large", 413, "The file is too large"


class UnsupportedMediaType(Refused):
    code, status, title = "unsupported_media_type", 415, "Files of this kind are not accepted"


class IdempotencyMismatch(Refused):
    """The same idempotency key came with another body."""

    code, status, title = "idempotency_mismatch", 422, "This idempotency key was used for something else"


class RuleFailed(Refused):
    """At least one rule failed; `findings` says which, what was seen, what is wanted and the fix."""

    code, status, title = "rule_failed", 422, "Some rules are not met yet"


class WindowNotOpen(Refused):
    code, status, title = "window_not_open", 422, "The window for this is not open yet"


class WindowClosed(Refused):
    code, status, title = "window_closed", 422, "The window for this is closed"


class InsufficientFunds(Refused):
    code, status, title = "insufficient_funds", 422, "There is not enough money in the fund"


def require_fields(changes: Iterable[str], allowed: Sequence[str], what: str) -> None:
    """Refuse a change of anything but the `allowed` fields: no door may write a column that nobody meant to open.

    `what` names the record in the sentence, e.g. "A claim". Raises Invalid with all such names.
    """
    unknown = [name for name in changes if name not in allowed]
    if unknown:
        errors = [
            FieldError(name, "unknown_field", f"{what} has no field “{name}” that can be changed.") for name in unknown
        ]
        raise Invalid(errors=errors)


def check_revision(seen: int | None, actual: int) -> None:
    """Refuse a write that was made on an older reading. `seen` None means that the caller did not say.

    Raises Stale.
    """
    if seen is not None and seen != actual:
        raise Stale(
            f"You read revision {seen}, but this record is at revision {actual}: somebody saved it in between. "
            "Read it again and repeat your change."
        )
