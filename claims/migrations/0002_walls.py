"""What the database itself refuses of a claim."""

from django.db import migrations

# A foreign key alone would let another partner's fund in.
SAME_PARTNER = """
ALTER TABLE claims_claim ADD CONSTRAINT claim_fund_same_partner
  FOREIGN KEY (partner_id, fund_id) REFERENCES funds_fund (partner_id, id);
"""

# The last wall of the deadline: whatever code forgot to ask, a claim is not sent outside its windows, nor long after the
# instant that it names. The minute is for a claim that was in time when it was checked and is written a moment later.
SENT_IN_ITS_WINDOWS = """
CREATE FUNCTION claims_sent_in_its_windows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  period funds_earningperiod;
BEGIN
  IF NEW.status <> 'submitted' OR (TG_OP = 'UPDATE' AND OLD.sendings = NEW.sendings) THEN
    RETURN NEW;
  END IF;
  SELECT e.* INTO period FROM funds_earningperiod e JOIN funds_fund f ON f.earning_period_id = e.id
    WHERE f.id = NEW.fund_id;
  IF NEW.first_submitted_at < period.claims_open_at OR NEW.first_submitted_at >= period.claims_close_at
     OR NEW.submitted_at >= period.cure_close_at
     OR (NEW.sendings = 1 AND NEW.submitted_at <> NEW.first_submitted_at)
     OR NEW.submitted_at NOT BETWEEN coop_now() - interval '1 minute' AND coop_now() THEN
    RAISE EXCEPTION 'a claim is sent inside its windows: % to %, mended until %',
      period.claims_open_at, period.claims_close_at, period.cure_close_at
      USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_is_sent_in_its_windows';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER claim_sent_in_its_windows BEFORE INSERT OR UPDATE ON claims_claim
  FOR EACH ROW EXECUTE FUNCTION claims_sent_in_its_windows();
ALTER TABLE claims_claim ENABLE ALWAYS TRIGGER claim_sent_in_its_windows;
"""


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial"), ("funds", "0002_ledger")]
    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (SAME_PARTNER, SENT_IN_ITS_WINDOWS)]
