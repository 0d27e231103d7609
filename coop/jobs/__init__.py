"""The jobs: what each finds due, and which operation it calls for it. Alarm clocks, no rules.

A job takes the instant `at`, works through all that is due by then, and may run late, twice, or together with itself.
One record that fails does not stop the others: it is counted, kept and logged, and found again at the next run.
"""

from coop.jobs.registry import BY_NAME, BY_THE_CLOCK, JOBS, Job, due_instants
from coop.jobs.running import run_due, run_job, run_telling
from coop.jobs.sweeps import (
    expire_periods,
    gather_rebates,
    lapse_claims,
    lapse_plans,
    notice_overdue,
    open_claims,
    record_head,
    settle_periods,
)
from coop.jobs.upkeep import (
    audit_ledger,
    check_files,
    check_imports,
    commit_imports,
    delete_files,
    mail_heads,
    make_previews,
    verify_links,
)
from coop.jobs.work import SILENT, Done, Progress, each

__all__ = [
    "BY_NAME",
    "BY_THE_CLOCK",
    "JOBS",
    "SILENT",
    "Done",
    "Job",
    "Progress",
    "audit_ledger",
    "check_files",
    "check_imports",
    "commit_imports",
    "delete_files",
    "due_instants",
    "each",
    "expire_periods",
    "gather_rebates",
    "lapse_claims",
    "lapse_plans",
    "mail_heads",
    "make_previews",
    "notice_overdue",
    "open_claims",
    "record_head",
    "run_due",
    "run_job",
    "run_telling",
    "settle_periods",
    "verify_links",
]
