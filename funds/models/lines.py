"""The lines of a delivery, as they were sent and as they were judged."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

# So many cells of a line are kept; a table that has more columns keeps those that are understood and then the first.
CELLS = 100


class SentLine(models.Model):
    """One line as it was sent: its cells side by side, in the order of its import's `columns`, just as COPY brings them in.

    Written once and kept, for the earning that came of it and for whoever asks what was sent. `problem` and `message` are
    for a line that could not even be taken apart. No statement reads the cells of a line by name but funds/judging does.
    """

    pk = models.CompositePrimaryKey("import_id", "line_no")
    import_id = models.BigIntegerField()
    line_no = models.IntegerField()
    problem = models.TextField(null=True)
    message = models.TextField(null=True)


for number in range(1, CELLS + 1):
    SentLine.add_to_class(f"c{number}", models.TextField(null=True))


class StagedLine(models.Model):
    """One judged line of an import, until it is committed; after it the lines that were rejected, with their reason.

    `version` is the number that the earning gets; for a line that corrects a known one, `prior_*` is what was known.
    `problem` is empty for a line that can be taken; only a rejected line has its `cells`.
    """

    pk = models.CompositePrimaryKey("import_id", "line_no")
    import_id = models.BigIntegerField()
    line_no = models.IntegerField()
    cells = ArrayField(models.TextField(null=True), null=True)
    external_id = models.TextField(null=True)
    partner_id = models.BigIntegerField(null=True)
    location_id = models.BigIntegerField(null=True)
    program_id = models.BigIntegerField(null=True)
    enrollment_id = models.BigIntegerField(null=True)
    earning_period_id = models.BigIntegerField(null=True)
    kind = models.TextField(null=True)
    earned_on = models.DateField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.TextField(null=True)
    fund_currency = models.TextField(null=True)
    fund_amount_minor = models.BigIntegerField(null=True)
    coop_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    rate_on = models.DateField(null=True)
    rate_source = models.TextField(null=True)
    lever = models.TextField(null=True)
    reason_code = models.TextField(null=True)
    version = models.IntegerField(null=True)
    prior_location_id = models.BigIntegerField(null=True)
    prior_program_id = models.BigIntegerField(null=True)
    prior_enrollment_id = models.BigIntegerField(null=True)
    prior_earning_period_id = models.BigIntegerField(null=True)
    prior_earned_on = models.DateField(null=True)
    prior_fund_currency = models.TextField(null=True)
    prior_fund_amount_minor = models.BigIntegerField(null=True)
    prior_coop_minor = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=10, null=True)  # new, changed, unchanged, rejected
    problem = models.CharField(max_length=40, blank=True, db_default="")
    field = models.CharField(max_length=200, blank=True, db_default="")
    message = models.TextField(blank=True, db_default="")
