"""The jobs that no deadline drives: imports, files, and the nightly checks of the ledger."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings

from claims.checks import CHECKS as CLAIM_CHECKS
from claims.operations import files, previews
from claims.queries import retention
from coop.jobs import runs
from coop.jobs.work import SILENT, Done, Progress, each
from funds.checks import check_ledger
from funds.operations import deliveries, heads
from funds.queries.proof import verify_ledger

log = structlog.get_logger()


def check_imports(at: datetime, progress: Progress = SILENT) -> Done:
    """Imports that wait to be checked."""
    done = Done("check_imports", at, progress=progress)
    return each(done, deliveries.waiting(), lambda i: deliveries.check_import(i, at=at) is not None, kind="import")


def commit_imports(at: datetime, progress: Progress = SILENT) -> Done:
    """Imports that are too large for a request, to be committed or reversed as somebody asked."""
    done = Done("commit_imports", at, progress=progress)
    return each(done, deliveries.asked_for(), lambda i: deliveries.work_on(i, at=at) is not None, kind="import")


def make_previews(at: datetime, progress: Progress = SILENT) -> Done:
    """Files that wait for their preview."""
    done = Done("make_previews", at, progress=progress)
    return each(done, previews.waiting(), lambda i: previews.make_preview(i, at=at), kind="file")


def delete_files(at: datetime, progress: Progress = SILENT) -> Done:
    """Files that nobody needs any more: old ones, those that no document names, and bytes that were left over."""
    done = Done("delete_files", at, progress=progress)
    each(done, retention.due_to_delete(at), lambda i: files.delete_old(i, at=at), kind="document")
    each(done, retention.unused(), files.forget, kind="file")
    return each(done, files.left_over(), lambda found: files.drop_bytes(*found), kind="bytes")


def check_files(at: datetime, progress: Progress = SILENT) -> Done:
    """Each night a thirtieth of the files is read through, those first that were not looked at for longest."""
    done = Done("check_files", at, progress=progress)
    found = retention.to_check()
    progress.expect(len(found))
    for stored_id in found:
        fault = files.check_file(stored_id, at=at)
        done.worked += 1
        progress.step()
        if fault:
            done.fail(f"file {stored_id}", fault)
            log.error("file.differs", fault=fault)
    return done


def audit_ledger(at: datetime, progress: Progress = SILENT) -> Done:
    """The nightly check of the ledger."""
    report = check_ledger(CLAIM_CHECKS)
    done = Done("audit_ledger", at, worked=report.funds, progress=progress)
    for found in report.differences:
        done.fail(found.subject, f"{found.check}: {found.detail}")
    for note in done.notes:
        log.error("ledger.differs", difference=note)
    return done


def verify_links(at: datetime, progress: Progress = SILENT) -> Done:
    """The nightly look for what was changed behind the product's back."""
    verdict = verify_ledger()
    done = Done("verify_links", at, worked=verdict.entries, progress=progress)
    for fault in verdict.faults:
        done.fail(fault.subject, f"{fault.kind}: {fault.detail}")
    done.failed = verdict.found
    for note in done.notes:
        log.error("ledger.tampered", fault=note)
    return done


def mail_heads(at: datetime, progress: Progress = SILENT) -> Done:
    """Heads that were not mailed yet, to the addresses of LEDGER_HEAD_MAIL_TO; nothing without it, or while it is held back."""
    to = [] if settings.OUTGOING_HELD else settings.LEDGER_HEAD_MAIL_TO
    waiting = heads.days_to_mail() if to else []
    done = Done("mail_heads", at, progress=progress)
    return each(done, waiting, lambda day: heads.mail_head(day, to=to, at=at), kind="head")


def forget_runs(at: datetime, progress: Progress = SILENT) -> Done:
    """Runs that ended 90 days ago by the wall clock; those that wait or run stay."""
    done = Done("forget_runs", at, progress=progress)
    while deleted := runs.forget_old_runs():
        done.worked += deleted
        progress.step(deleted)
    return done
