"""Keeping the table of runs small."""

from __future__ import annotations

from coop.lib.db import execute

KEPT = "90 days"
CHUNK = 5_000


def forget_old_runs() -> int:
    """Delete some of the runs that ended long ago by the wall clock. Returns how many."""
    return execute(
        f"""DELETE FROM lib_jobrun WHERE id IN (
              SELECT id FROM lib_jobrun
              WHERE status NOT IN ('asked', 'running') AND ended_wall < statement_timestamp() - interval '{KEPT}'
              ORDER BY id LIMIT {CHUNK} FOR UPDATE SKIP LOCKED)"""
    )
