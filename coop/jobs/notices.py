"""The jobs that tell people and programs what happened."""

from __future__ import annotations

from datetime import datetime

from coop.jobs.work import SILENT, Done, Progress
from coop.telling import tell_untold as tell
from partners.models import Untold


def tell_untold(at: datetime, progress: Progress = SILENT) -> Done:
    """Every event in the outbox; it is rung by whoever records one."""
    done = Done("tell_untold", at, progress=progress)
    progress.expect(Untold.objects.count())
    tally = tell(at=at, step=progress.step)
    done.worked = tally.events
    for record, error in tally.failures:
        done.fail(record, error)
    return done
