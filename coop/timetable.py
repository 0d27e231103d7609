"""When each task rings. Beat is only a trigger: what is due is found by the stored instants, so a missed ring costs nothing."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

TIMETABLE: dict[str, dict[str, Any]] = {
    # Order at the same minute does not matter: each finds only what is due and not done.
    "settle periods": {"task": "coop.settle_periods", "schedule": 60.0},
    "lapse claims": {"task": "coop.lapse_claims", "schedule": 60.0},
    "lapse plans": {"task": "coop.lapse_plans", "schedule": 60.0},
    "expire periods": {"task": "coop.expire_periods", "schedule": 60.0},
    "gather rebates": {"task": "coop.gather_rebates", "schedule": 60.0},
    # An upload rings this one itself; this is for the case that the ring was lost.
    "check imports": {"task": "coop.check_imports", "schedule": 5.0},
    "commit imports": {"task": "coop.commit_imports", "schedule": 5.0},
    "make previews": {"task": "coop.make_previews", "schedule": 30.0},
    "delete files": {"task": "coop.delete_files", "schedule": crontab(hour=3, minute=0)},
    "check files": {"task": "coop.check_files", "schedule": crontab(hour=3, minute=30)},
    "record head": {"task": "coop.record_head", "schedule": crontab(hour=0, minute=5)},
    "mail heads": {"task": "coop.mail_heads", "schedule": 600.0},
    "verify links": {"task": "coop.verify_links", "schedule": crontab(hour=2, minute=30)},
    "audit ledger": {"task": "coop.audit_ledger", "schedule": crontab(hour=2, minute=0)},
}
