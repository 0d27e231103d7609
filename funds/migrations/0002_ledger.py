"""What the database itself refuses: the walls of the ledger.

An entry is the only thing that moves a fund's totals: the trigger on the entry table moves them, and the trigger on the
fund table refuses every other change of them. All triggers are ENABLE ALWAYS, so that neither a replication role nor a
restore can slip past them.
"""

from django.db import migrations

MOVEMENTS = """
ALTER TABLE funds_entry ADD CONSTRAINT entry_is_a_known_movement CHECK ((kind, from_bucket, to_bucket) IN (
  ('earning', 'program', 'available'),
  ('clawback', 'available', 'program'),
  ('adjustment', 'program', 'available'),
  ('adjustment', 'available', 'program'),
  ('conversion', 'available', 'converted'),
  ('conversion', 'converted', 'available'),
  ('reserve', 'available', 'reserved'),
  ('release', 'reserved', 'available'),
  ('release', 'reserved', 'expired'),
  ('release', 'in_review', 'available'),
  ('release', 'in_review', 'expired'),
  ('release', 'in_review', 'reserved'),
  ('hold', 'available', 'in_review'),
  ('hold', 'reserved', 'in_review'),
  ('approval', 'in_review', 'approved'),
  ('payment', 'approved', 'paid'),
  ('expiry', 'available', 'expired')));
"""

APPEND_ONLY = """
CREATE FUNCTION coop_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused. Correct with a new row.', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_entry
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_entry ENABLE ALWAYS TRIGGER entry_is_append_only;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON partners_event
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE partners_event ENABLE ALWAYS TRIGGER event_is_append_only;
CREATE TRIGGER fund_is_never_truncated BEFORE TRUNCATE ON funds_fund
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_is_never_truncated;
"""

ENTRY_MOVES_TOTALS = """
CREATE FUNCTION funds_entry_moves_totals() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted bigint;
  moved bigint;
  broken record;
BEGIN
  SELECT count(DISTINCT (fund_id, partner_id, currency)) INTO wanted FROM posted;
  WITH change AS (
    SELECT fund_id, partner_id, currency,
      sum(CASE kind WHEN 'earning' THEN amount_minor WHEN 'clawback' THEN -amount_minor ELSE 0 END) AS earned,
      sum(CASE WHEN kind = 'adjustment' THEN CASE from_bucket WHEN 'program' THEN amount_minor ELSE -amount_minor END
          ELSE 0 END) AS adjustments,
      sum(CASE WHEN to_bucket = 'available' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'available' THEN amount_minor ELSE 0 END) AS available,
      sum(CASE WHEN to_bucket = 'reserved' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'reserved' THEN amount_minor ELSE 0 END) AS reserved,
      sum(CASE WHEN to_bucket = 'in_review' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'in_review' THEN amount_minor ELSE 0 END) AS in_review,
      sum(CASE WHEN to_bucket = 'approved' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'approved' THEN amount_minor ELSE 0 END) AS approved,
      sum(CASE WHEN to_bucket = 'paid' THEN amount_minor ELSE 0 END) AS paid,
      sum(CASE WHEN to_bucket = 'expired' THEN amount_minor ELSE 0 END) AS expired,
      sum(CASE WHEN to_bucket = 'converted' THEN amount_minor ELSE 0 END
        - CASE WHEN from_bucket = 'converted' THEN amount_minor ELSE 0 END) AS converted
    FROM posted GROUP BY fund_id, partner_id, currency
  )
  UPDATE funds_fund f SET
    earned_minor = f.earned_minor + change.earned,
    adjustments_minor = f.adjustments_minor + change.adjustments,
    available_minor = f.available_minor + change.available,
    reserved_minor = f.reserved_minor + change.reserved,
    in_review_minor = f.in_review_minor + change.in_review,
    approved_minor = f.approved_minor + change.approved,
    paid_minor = f.paid_minor + change.paid,
    expired_minor = f.expired_minor + change.expired,
    converted_minor = f.converted_minor + change.converted
  FROM change
  WHERE f.id = change.fund_id AND f.partner_id = change.partner_id AND f.currency = change.currency;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> wanted THEN
    RAISE EXCEPTION 'an entry does not fit its fund: the fund is missing, or has another partner or currency'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_fits_its_fund';
  END IF;
  -- Only a correction of what was earned may leave less than nothing.
  SELECT f.id, f.available_minor INTO broken
    FROM funds_fund f JOIN posted p ON p.fund_id = f.id
    WHERE f.available_minor < 0 AND p.from_bucket = 'available' AND p.kind NOT IN ('adjustment', 'clawback')
    LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'fund % would be overspent: available would be % minor units', broken.id, broken.available_minor
      USING ERRCODE = 'check_violation', CONSTRAINT = 'fund_is_never_overspent';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_moves_totals AFTER INSERT ON funds_entry
  REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION funds_entry_moves_totals();
ALTER TABLE funds_entry ENABLE ALWAYS TRIGGER entry_moves_totals;
"""

TOTALS_ONLY_BY_ENTRY = """
CREATE FUNCTION funds_totals_only_by_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF (NEW.earned_minor, NEW.adjustments_minor, NEW.available_minor, NEW.reserved_minor, NEW.in_review_minor,
        NEW.approved_minor, NEW.paid_minor, NEW.expired_minor, NEW.converted_minor) <> (0, 0, 0, 0, 0, 0, 0, 0, 0) THEN
      RAISE EXCEPTION 'a fund begins empty: its totals move only with an entry' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a fund is never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.partner_id, NEW.location_id, NEW.program_id, NEW.enrollment_id, NEW.earning_period_id, NEW.currency)
     IS DISTINCT FROM
     (OLD.id, OLD.partner_id, OLD.location_id, OLD.program_id, OLD.enrollment_id, OLD.earning_period_id, OLD.currency) THEN
    RAISE EXCEPTION 'whose a fund is, for which period and in which currency never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  -- Depth 1 is a statement that somebody sent; depth 2 comes from the entry's own trigger.
  IF pg_trigger_depth() < 2 AND
     (NEW.earned_minor, NEW.adjustments_minor, NEW.available_minor, NEW.reserved_minor, NEW.in_review_minor,
      NEW.approved_minor, NEW.paid_minor, NEW.expired_minor, NEW.converted_minor)
     <>
     (OLD.earned_minor, OLD.adjustments_minor, OLD.available_minor, OLD.reserved_minor, OLD.in_review_minor,
      OLD.approved_minor, OLD.paid_minor, OLD.expired_minor, OLD.converted_minor) THEN
    RAISE EXCEPTION 'the totals of a fund move only with an entry' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fund_totals_only_by_entry BEFORE INSERT OR UPDATE OR DELETE ON funds_fund
  FOR EACH ROW EXECUTE FUNCTION funds_totals_only_by_entry();
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_totals_only_by_entry;
"""

EXPIRY_AT_THE_DEADLINE = """
CREATE FUNCTION funds_expiry_at_the_deadline() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM posted p JOIN funds_fund f ON f.id = p.fund_id JOIN funds_earningperiod e ON e.id = f.earning_period_id
    WHERE (p.kind = 'expiry' OR (p.kind = 'release' AND p.to_bucket = 'expired'))
      AND (p.recorded_at < e.claims_close_at OR coop_now() < e.claims_close_at
           OR (p.kind = 'expiry' AND p.effective_on <> e.claims_close_on))
  ) THEN
    RAISE EXCEPTION 'money expires only after the claim deadline of its period, and effective on it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'expiry_is_at_the_deadline';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER expiry_at_the_deadline AFTER INSERT ON funds_entry
  REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION funds_expiry_at_the_deadline();
ALTER TABLE funds_entry ENABLE ALWAYS TRIGGER expiry_at_the_deadline;
"""

# Every claim, balance update and sweep rewrites fund rows: room on the page keeps those updates cheap.
ROOM_FOR_UPDATES = "ALTER TABLE funds_fund SET (fillfactor = 50);"

# A fund's enrollment, and an enrollment's location, are of the same partner: a foreign key cannot smuggle in another's.
SAME_PARTNER = """
ALTER TABLE funds_enrollment ADD CONSTRAINT enrollment_location_same_partner
  FOREIGN KEY (partner_id, location_id) REFERENCES partners_location (partner_id, id);
ALTER TABLE funds_fund ADD CONSTRAINT fund_enrollment_same_partner
  FOREIGN KEY (partner_id, enrollment_id) REFERENCES funds_enrollment (partner_id, id);
ALTER TABLE funds_payable ADD CONSTRAINT payable_fund_same_partner
  FOREIGN KEY (partner_id, fund_id) REFERENCES funds_fund (partner_id, id);
"""

NO_WAY_BACK = migrations.RunSQL.noop


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial"), ("partners", "0001_initial"), ("lib", "0002_clock_and_share")]
    operations = [
        migrations.RunSQL(sql, NO_WAY_BACK)
        for sql in (
            MOVEMENTS,
            APPEND_ONLY,
            ENTRY_MOVES_TOTALS,
            TOTALS_ONLY_BY_ENTRY,
            EXPIRY_AT_THE_DEADLINE,
            ROOM_FOR_UPDATES,
            SAME_PARTNER,
        )
    ]
