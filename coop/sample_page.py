"""A report to try an import with, for the partners of a sandbox. Not reachable outside one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import StreamingHttpResponse
from django.views.decorators.http import require_safe

from coop.lib.web import now
from coop.sandbox import require_sandbox
from coop.story.sample import PARTNER_CENTER, sample_rows
from funds.downloads import csv_download
from funds.operations.payments import READERS
from partners.permissions import require_role
from partners.web.request import PersonRequest

LINES = 50_000


@login_required
@require_safe
def sample_report(request: PersonRequest) -> StreamingHttpResponse:
    """What `manage.py sample_report` writes. Raises NotFound outside a sandbox, NotAllowed."""
    require_sandbox()
    require_role(request.user, *READERS, to="see imports")
    rows = sample_rows(LINES, form=PARTNER_CENTER, seed=1, at=now(request))
    return csv_download(rows, "sample-earnings.csv")
