from django.db import migrations, models

# Money expires at the deadline that counts for its fund: its own where it has one, else its period's.
EXPIRY_AT_THE_DEADLINE = """
CREATE OR REPLACE FUNCTION funds_expiry_at_the_deadline() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  present timestamptz;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM posted WHERE to_bucket = 'expired') THEN
    RETURN NULL;
  END IF;
  present := coop_now();  -- once, and not for each entry
  IF EXISTS (
    SELECT 1 FROM posted p JOIN funds_fund f ON f.id = p.fund_id JOIN funds_earningperiod e ON e.id = f.earning_period_id
    WHERE p.to_bucket = 'expired'
      AND (least(p.recorded_at, present) < coalesce(f.own_close_at, e.claims_close_at)
           OR (p.kind = 'expiry' AND p.effective_on <> coalesce(f.own_close_on, e.claims_close_on)))
  ) THEN
    RAISE EXCEPTION 'money expires only after the claim deadline of its fund, and effective on it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'expiry_is_at_the_deadline';
  END IF;
  RETURN NULL;
END $$;
"""

# A promised date moves to a later day or not at all, whoever writes it. A partner's own one is never before its period's,
# and leaves as many days to mend; it goes when the period's own date has overtaken it.
DATES_ONLY_MOVE_LATER = """
CREATE FUNCTION funds_deadline_moves_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a claim deadline only moves to a later day'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'deadline_only_moves_later';
END $$;
CREATE TRIGGER deadline_moves_later BEFORE UPDATE ON funds_earningperiod FOR EACH ROW WHEN (
  NEW.claims_close_on < OLD.claims_close_on OR NEW.claims_close_at < OLD.claims_close_at
  OR NEW.cure_close_on < OLD.cure_close_on OR NEW.cure_close_at < OLD.cure_close_at)
  EXECUTE FUNCTION funds_deadline_moves_later();
ALTER TABLE funds_earningperiod ENABLE ALWAYS TRIGGER deadline_moves_later;

CREATE FUNCTION funds_own_deadline_moves_later() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  e funds_earningperiod;
BEGIN
  SELECT * INTO e FROM funds_earningperiod WHERE id = NEW.earning_period_id;
  IF NEW.own_close_at <= e.claims_close_at OR NEW.own_close_on <= e.claims_close_on OR NEW.own_cure_at <= e.cure_close_at
     OR NEW.own_cure_on - NEW.own_close_on <> e.cure_close_on - e.claims_close_on
     OR (TG_OP = 'UPDATE' AND (coalesce(NEW.own_close_at, e.claims_close_at) < OLD.own_close_at
                               OR coalesce(NEW.own_cure_at, e.cure_close_at) < OLD.own_cure_at)) THEN
    RAISE EXCEPTION 'the own deadline of a fund is after its period''s, and only moves to a later day'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'own_deadline_only_moves_later';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER own_deadline_moves_later BEFORE UPDATE OF own_close_on, own_close_at, own_cure_on, own_cure_at ON funds_fund
  FOR EACH ROW EXECUTE FUNCTION funds_own_deadline_moves_later();
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER own_deadline_moves_later;
CREATE TRIGGER own_deadline_begins_later BEFORE INSERT ON funds_fund
  FOR EACH ROW WHEN (NEW.own_close_at IS NOT NULL) EXECUTE FUNCTION funds_own_deadline_moves_later();
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER own_deadline_begins_later;
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0004_extensions")]
    operations = [
        migrations.RemoveField(model_name="earningperiod", name="lapsed_at"),
        migrations.AddField(model_name="earningperiod", name="closed_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="fund",
            index=models.Index(
                condition=models.Q(("own_close_at__isnull", False)),
                fields=["earning_period", "partner"],
                name="fund_with_own_deadline",
            ),
        ),
        migrations.RunSQL(EXPIRY_AT_THE_DEADLINE, migrations.RunSQL.noop),
        migrations.RunSQL(DATES_ONLY_MOVE_LATER, migrations.RunSQL.noop),
    ]
