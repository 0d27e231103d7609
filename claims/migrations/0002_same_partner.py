"""A claim's fund is of the claim's partner: a foreign key alone would let another partner's fund in."""

from django.db import migrations

SAME_PARTNER = """
ALTER TABLE claims_claim ADD CONSTRAINT claim_fund_same_partner
  FOREIGN KEY (partner_id, fund_id) REFERENCES funds_fund (partner_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial"), ("funds", "0002_ledger")]
    operations = [migrations.RunSQL(SAME_PARTNER, "ALTER TABLE claims_claim DROP CONSTRAINT claim_fund_same_partner")]
