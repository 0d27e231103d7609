from django.db import migrations

# The last wall of the deadline asks the fund's own one where there is one, else the period's.
SENT_IN_ITS_WINDOWS = """
CREATE OR REPLACE FUNCTION claims_sent_in_its_windows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  opens timestamptz;
  closes timestamptz;
  cured timestamptz;
BEGIN
  IF NEW.status <> 'submitted' OR (TG_OP = 'UPDATE' AND OLD.sendings = NEW.sendings) THEN
    RETURN NEW;
  END IF;
  SELECT e.claims_open_at, coalesce(f.own_close_at, e.claims_close_at), coalesce(f.own_cure_at, e.cure_close_at)
    INTO opens, closes, cured
    FROM funds_earningperiod e JOIN funds_fund f ON f.earning_period_id = e.id WHERE f.id = NEW.fund_id;
  IF NEW.first_submitted_at < opens OR NEW.first_submitted_at >= closes OR NEW.submitted_at >= cured
     OR (NEW.sendings = 1 AND NEW.submitted_at <> NEW.first_submitted_at)
     OR NEW.submitted_at NOT BETWEEN coop_now() - interval '1 minute' AND coop_now() THEN
    RAISE EXCEPTION 'a claim is sent inside its windows: % to %, mended until %', opens, closes, cured
      USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_is_sent_in_its_windows';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("claims", "0006_find_duplicates"), ("funds", "0005_own_deadlines")]
    operations = [migrations.RunSQL(SENT_IN_ITS_WINDOWS, migrations.RunSQL.noop)]
