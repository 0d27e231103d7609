"""What may follow what. A table of states is data: {verb: {status before: status after}}."""

from __future__ import annotations

from collections.abc import Mapping

from coop.lib.errors import WrongStatus

Table = Mapping[str, Mapping[str, str]]


def follow(table: Table, verb: str, status: str, *, what: str) -> str:
    """The status that the verb leads to from here. `what` names the record in the sentence, e.g. "claim CL-7K3M".

    Raises WrongStatus.
    """
    allowed = table[verb]
    if status in allowed:
        return allowed[status]
    said = " or ".join(s.replace("_", " ") for s in allowed)
    raise WrongStatus(
        f"{what[:1].upper()}{what[1:]} is {status.replace('_', ' ')}; "
        f"“{verb.replace('_', ' ')}” is possible while it is {said}."
    )
