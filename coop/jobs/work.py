"""What a job is given and gives back: how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

log = structlog.get_logger()

KEPT_FAILURES = 100
LONGEST_ERROR = 500  # characters


class Progress:
    """Is told how far a run is. This one tells nobody; `coop.jobs.running` has one that shows it."""

    def expect(self, total: int) -> None:
        """There are so many things to do, more than were expected before."""

    def step(self, worked: int = 1) -> None:
        """So many things were done since the last step."""


SILENT = Progress()


@dataclass
class Done:
    """What one run of a job did. `failures` are {"record", "error"}, the first hundred."""

    job: str
    at: datetime
    worked: int = 0
    failed: int = 0
    notes: list[str] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    progress: Progress = field(default=SILENT, repr=False, compare=False)

    def fail(self, record: Any, error: object, count: int = 1) -> None:
        """Note what failed, on which record ("claim 41"), in a sentence."""
        self.failed += count
        # Databases add lines about where they were; those are in the log.
        sentence = (str(error).strip() or type(error).__name__).splitlines()[0]
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append({"record": str(record), "error": sentence[:LONGEST_ERROR]})
            self.notes.append(f"{record}: {sentence[:LONGEST_ERROR]}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "at": self.at.isoformat(),
            "worked": self.worked,
            "failed": self.failed,
            "notes": self.notes,
        }


def each(done: Done, ids: Iterable[Any], act: Callable[[Any], Any], *, kind: str = "") -> Done:
    """Call the operation for each id; what fails is counted and leaves nothing behind, and the others go on.

    `kind` names what the ids are of ("claim"), so that a failure leads to its record. An operation may return how many things
    it did; False or 0 if there was nothing to do any more, because somebody else was quicker. A database that went away, and
    a run that takes too long, are no record's fault: they end the run.
    """
    found: Collection[Any] = ids if isinstance(ids, Collection) else list(ids)
    done.progress.expect(len(found))
    for record_id in found:
        try:
            worked = act(record_id)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            if connection.connection is not None and not connection.is_usable():
                raise
            done.fail(f"{kind} {record_id}".strip(), error)
            log.exception("job.record_failed", job=done.job, record=str(record_id))
        else:
            done.worked += worked if isinstance(worked, int) else 1
        done.progress.step()
    return done
