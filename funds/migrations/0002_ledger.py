"""What the database itself refuses: the walls of the ledger.

An entry is the only thing that moves a fund's totals: the trigger on the entry table moves them, and the trigger on the
fund table refuses every other change of them. All triggers are ENABLE ALWAYS, so that neither a replication role nor a
restore can slip past them; those that read tables look for them in `public` first, so that no temporary table of the same
name takes the place of one.
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
  ('return', 'paid', 'approved'),
  ('expiry', 'available', 'expired'),
  ('reversal', 'program', 'available'),
  ('reversal', 'available', 'program'),
  ('write_off', 'program', 'available')));
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
CREATE TRIGGER earning_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_earning
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_earning ENABLE ALWAYS TRIGGER earning_is_append_only;
CREATE TRIGGER rate_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_exchangerate
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_exchangerate ENABLE ALWAYS TRIGGER rate_is_append_only;
CREATE TRIGGER link_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_link
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_link ENABLE ALWAYS TRIGGER link_is_append_only;
CREATE TRIGGER anchor_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_anchor
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_anchor ENABLE ALWAYS TRIGGER anchor_is_append_only;
-- Of a head only the note that it was mailed may change, of a rebate only the payable that gathers it.
CREATE TRIGGER head_is_append_only
  BEFORE UPDATE OF id, day, at, funds, entries, previous, hash OR DELETE OR TRUNCATE ON funds_ledgerhead
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_ledgerhead ENABLE ALWAYS TRIGGER head_is_append_only;
CREATE TRIGGER rebate_is_append_only
  BEFORE UPDATE OF id, partner_id, program_id, enrollment_id, earning_period_id, currency, amount_minor, source, reference,
    effective_on, recorded_at OR DELETE OR TRUNCATE ON funds_rebate
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_rebate ENABLE ALWAYS TRIGGER rebate_is_append_only;
CREATE TRIGGER fund_is_never_truncated BEFORE TRUNCATE ON funds_fund
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_is_never_truncated;
"""

# The chain of a fund: each link is the hash of the link before it and of the text of the next entry. The text is a JSON array,
# so two different entries never have the same one, whatever stands in their words; its days and instants are ISO 8601 in UTC,
# whatever the session's DateStyle. The bodies are bound when they are made (RETURN, not a string), so neither a search path
# nor any other setting of a session changes what they compute.
CHAIN = """
ALTER TABLE funds_entry ADD CONSTRAINT entry_words_are_one_line
  CHECK (currency || reference_type || reference || reason_code || key !~ '[[:cntrl:]]');
CREATE FUNCTION funds_entry_text(e funds_entry) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_array(e.id, e.fund_id, e.partner_id, e.currency, e.kind, e.from_bucket, e.to_bucket, e.amount_minor,
    e.effective_on, e.recorded_at AT TIME ZONE 'UTC', e.actor_id, e.reference_type, e.reference, e.reason_code, e.key,
    e.note)::text;
-- Not IMMUTABLE, because convert_to is not, and the planner writes a function into the statement only if it is honest.
CREATE FUNCTION funds_link_hash(before bytea, entry_text text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(coalesce(before, ''::bytea) || convert_to(entry_text, 'UTF8'));
-- Over rows in order: funds_chain(first, text) gives the last link, as a window function every link on the way.
CREATE FUNCTION funds_chain_step(state bytea, first bytea, entry_text text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(coalesce(state, first, ''::bytea) || convert_to(entry_text, 'UTF8'));
CREATE AGGREGATE funds_chain (first bytea, entry_text text) (SFUNC = funds_chain_step, STYPE = bytea);
-- A daily head goes over its own figures and its anchors, each one more text of the same chain.
CREATE FUNCTION funds_head_text(day date, at timestamptz, funds bigint, entries bigint) RETURNS text LANGUAGE sql STABLE
RETURN json_build_array(day, at AT TIME ZONE 'UTC', funds, entries)::text;
CREATE FUNCTION funds_anchor_text(a funds_anchor) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_array(a.day, a.fund_id, a.number, encode(a.hash, 'hex'))::text;
"""

# Entries of one statement reach their funds together: by id, one link for each. Two statements of different sessions wait for
# each other at the fund's row, and the second goes on from the head that the first left (`before` is that row). Nearly every
# statement has one entry for each fund and goes the short way, which sums and gathers nothing.
ENTRY_MOVES_TOTALS = """
CREATE FUNCTION funds_moved(bucket text, to_bucket text, from_bucket text, minor bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE bucket WHEN to_bucket THEN minor WHEN from_bucket THEN -minor ELSE 0 END;
CREATE FUNCTION funds_entry_moves_totals() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  wanted bigint;
  moved bigint;
  overspent bigint;
  given bigint;
BEGIN
  SELECT count(*), count(DISTINCT fund_id) INTO wanted, moved FROM posted;
  IF wanted = moved THEN
    WITH funds AS (
      UPDATE funds_fund f SET
        earned_minor = f.earned_minor + CASE WHEN p.kind IN ('earning', 'clawback', 'reversal')
          THEN funds_moved('program', p.from_bucket, p.to_bucket, p.amount_minor) ELSE 0 END,
        adjustments_minor = f.adjustments_minor + CASE WHEN p.kind IN ('adjustment', 'write_off')
          THEN funds_moved('program', p.from_bucket, p.to_bucket, p.amount_minor) ELSE 0 END,
        available_minor = f.available_minor + funds_moved('available', p.to_bucket, p.from_bucket, p.amount_minor),
        reserved_minor = f.reserved_minor + funds_moved('reserved', p.to_bucket, p.from_bucket, p.amount_minor),
        in_review_minor = f.in_review_minor + funds_moved('in_review', p.to_bucket, p.from_bucket, p.amount_minor),
        approved_minor = f.approved_minor + funds_moved('approved', p.to_bucket, p.from_bucket, p.amount_minor),
        paid_minor = f.paid_minor + funds_moved('paid', p.to_bucket, p.from_bucket, p.amount_minor),
        expired_minor = f.expired_minor + funds_moved('expired', p.to_bucket, p.from_bucket, p.amount_minor),
        converted_minor = f.converted_minor + funds_moved('converted', p.to_bucket, p.from_bucket, p.amount_minor),
        entries_posted = f.entries_posted + 1,
        head = funds_link_hash(f.head, funds_entry_text(p))
      FROM posted p
      WHERE f.id = p.fund_id AND f.partner_id = p.partner_id AND f.currency = p.currency
      RETURNING f.id, f.entries_posted, f.head, p.id AS entry_id,
        f.available_minor < 0 AND p.from_bucket = 'available' AND p.kind NOT IN ('adjustment', 'clawback', 'reversal')
          AS overspent,
        f.available_minor > 0 AND p.kind = 'write_off' AS given
    ), linked AS (
      INSERT INTO funds_link (fund_id, number, entry_id, hash) SELECT id, entries_posted, entry_id, head FROM funds
    )
    SELECT count(*), min(id) FILTER (WHERE funds.overspent), min(id) FILTER (WHERE funds.given)
      INTO moved, overspent, given FROM funds;
  ELSE
    WITH change AS (
      SELECT fund_id, partner_id, currency,
        sum(CASE WHEN kind IN ('earning', 'clawback', 'reversal')
            THEN funds_moved('program', from_bucket, to_bucket, amount_minor) ELSE 0 END) AS earned,
        sum(CASE WHEN kind IN ('adjustment', 'write_off')
            THEN funds_moved('program', from_bucket, to_bucket, amount_minor) ELSE 0 END) AS adjustments,
        sum(funds_moved('available', to_bucket, from_bucket, amount_minor)) AS available,
        sum(funds_moved('reserved', to_bucket, from_bucket, amount_minor)) AS reserved,
        sum(funds_moved('in_review', to_bucket, from_bucket, amount_minor)) AS in_review,
        sum(funds_moved('approved', to_bucket, from_bucket, amount_minor)) AS approved,
        sum(funds_moved('paid', to_bucket, from_bucket, amount_minor)) AS paid,
        sum(funds_moved('expired', to_bucket, from_bucket, amount_minor)) AS expired,
        sum(funds_moved('converted', to_bucket, from_bucket, amount_minor)) AS converted,
        sum(CASE kind WHEN 'write_off' THEN amount_minor ELSE 0 END) AS written_off,
        bool_or(from_bucket = 'available' AND kind NOT IN ('adjustment', 'clawback', 'reversal')) AS spends,
        count(*) AS number,
        array_agg(id ORDER BY id) AS ids,
        array_agg(funds_entry_text(posted) ORDER BY id) AS texts
      FROM posted GROUP BY fund_id, partner_id, currency
    ), funds AS (
      UPDATE funds_fund f SET
        earned_minor = f.earned_minor + change.earned,
        adjustments_minor = f.adjustments_minor + change.adjustments,
        available_minor = f.available_minor + change.available,
        reserved_minor = f.reserved_minor + change.reserved,
        in_review_minor = f.in_review_minor + change.in_review,
        approved_minor = f.approved_minor + change.approved,
        paid_minor = f.paid_minor + change.paid,
        expired_minor = f.expired_minor + change.expired,
        converted_minor = f.converted_minor + change.converted,
        entries_posted = f.entries_posted + change.number,
        head = CASE change.number WHEN 1 THEN funds_link_hash(f.head, change.texts[1])
               ELSE (SELECT funds_chain(f.head, t.entry_text ORDER BY t.place)
                     FROM unnest(change.texts) WITH ORDINALITY AS t(entry_text, place)) END
      FROM change
      WHERE f.id = change.fund_id AND f.partner_id = change.partner_id AND f.currency = change.currency
      RETURNING WITH (OLD AS before, NEW AS after) f.id, before.entries_posted AS number_before, before.head AS head_before,
        after.head AS head_after, change.number, change.ids, change.texts,
        after.available_minor < 0 AND change.spends AS overspent,
        change.written_off > 0 AND greatest(before.available_minor + change.written_off, after.available_minor) > 0 AS given
    ), linked AS (
      INSERT INTO funds_link (fund_id, number, entry_id, hash)
      SELECT id, number_before + 1, ids[1], head_after FROM funds WHERE number = 1
      UNION ALL
      SELECT f.id, f.number_before + t.place, f.ids[t.place],
             funds_chain(f.head_before, t.entry_text) OVER (PARTITION BY f.id ORDER BY t.place)
      FROM funds f, unnest(f.texts) WITH ORDINALITY AS t(entry_text, place) WHERE f.number > 1
    )
    SELECT (SELECT count(*) FROM change), count(*), min(id) FILTER (WHERE funds.overspent), min(id) FILTER (WHERE funds.given)
      INTO wanted, moved, overspent, given FROM funds;
  END IF;
  IF moved <> wanted THEN
    RAISE EXCEPTION 'an entry does not fit its fund: the fund is missing, or has another partner or currency'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_fits_its_fund';
  END IF;
  -- Only a correction of what was earned may leave less than nothing, and a write-off lifts a fund to nothing at most.
  IF given IS NOT NULL THEN
    RAISE EXCEPTION 'fund % would be given money by a write-off: it lifts what is available to nothing at most', given
      USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_is_no_gift';
  END IF;
  IF overspent IS NOT NULL THEN
    RAISE EXCEPTION 'fund % would be overspent: available would be % minor units', overspent,
      (SELECT available_minor FROM funds_fund WHERE id = overspent)
      USING ERRCODE = 'check_violation', CONSTRAINT = 'fund_is_never_overspent';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_moves_totals AFTER INSERT ON funds_entry
  REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION funds_entry_moves_totals();
ALTER TABLE funds_entry ENABLE ALWAYS TRIGGER entry_moves_totals;
"""

# Co-op that is converted is owed as rebate from that moment, and no longer when it is given back.
CONVERSION_IS_REBATE = """
CREATE FUNCTION funds_conversion_is_rebate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO funds_rebate (partner_id, program_id, enrollment_id, earning_period_id, currency, amount_minor, source,
    reference, effective_on, recorded_at)
  SELECT f.partner_id, f.program_id, f.enrollment_id, f.earning_period_id, f.currency,
    CASE p.to_bucket WHEN 'converted' THEN p.amount_minor ELSE -p.amount_minor END, 'conversion', p.id::text,
    p.effective_on, p.recorded_at
  FROM posted p JOIN funds_fund f ON f.id = p.fund_id WHERE p.kind = 'conversion';
  RETURN NULL;
END $$;
CREATE TRIGGER conversion_is_rebate AFTER INSERT ON funds_entry
  REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION funds_conversion_is_rebate();
ALTER TABLE funds_entry ENABLE ALWAYS TRIGGER conversion_is_rebate;
"""

# A link comes from the trigger of its entry and from nowhere else.
LINKS_ONLY_BY_ENTRY = """
CREATE FUNCTION funds_links_only_by_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a link is made by its entry alone' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER link_only_by_entry BEFORE INSERT ON funds_link
  FOR EACH STATEMENT EXECUTE FUNCTION funds_links_only_by_entry();
ALTER TABLE funds_link ENABLE ALWAYS TRIGGER link_only_by_entry;
"""

# The conditions stand in the triggers and not in their function: every update of a fund pays for them, none for a call.
TOTALS_ONLY_BY_ENTRY = """
CREATE FUNCTION funds_fund_is_guarded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER fund_begins_empty BEFORE INSERT ON funds_fund FOR EACH ROW WHEN (
  (NEW.earned_minor, NEW.adjustments_minor, NEW.available_minor, NEW.reserved_minor, NEW.in_review_minor,
   NEW.approved_minor, NEW.paid_minor, NEW.expired_minor, NEW.converted_minor, NEW.entries_posted)
  <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0) OR NEW.head IS NOT NULL)
  EXECUTE FUNCTION funds_fund_is_guarded('a fund begins empty: its totals move only with an entry');
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_begins_empty;
CREATE TRIGGER fund_is_never_deleted BEFORE DELETE ON funds_fund FOR EACH ROW
  EXECUTE FUNCTION funds_fund_is_guarded('a fund is never deleted');
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_is_never_deleted;
CREATE TRIGGER fund_stays_whose_it_is BEFORE UPDATE ON funds_fund FOR EACH ROW WHEN (
  (NEW.id, NEW.partner_id, NEW.location_id, NEW.program_id, NEW.enrollment_id, NEW.earning_period_id, NEW.currency)
  IS DISTINCT FROM
  (OLD.id, OLD.partner_id, OLD.location_id, OLD.program_id, OLD.enrollment_id, OLD.earning_period_id, OLD.currency))
  EXECUTE FUNCTION funds_fund_is_guarded('whose a fund is, for which period and in which currency never changes');
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_stays_whose_it_is;
-- Depth 0 is a statement that somebody sent; depth 1 comes from the entry's own trigger.
CREATE TRIGGER fund_totals_only_by_entry BEFORE UPDATE ON funds_fund FOR EACH ROW WHEN (
  pg_trigger_depth() < 1 AND
  (NEW.earned_minor, NEW.adjustments_minor, NEW.available_minor, NEW.reserved_minor, NEW.in_review_minor,
   NEW.approved_minor, NEW.paid_minor, NEW.expired_minor, NEW.converted_minor, NEW.entries_posted, NEW.head)
  IS DISTINCT FROM
  (OLD.earned_minor, OLD.adjustments_minor, OLD.available_minor, OLD.reserved_minor, OLD.in_review_minor,
   OLD.approved_minor, OLD.paid_minor, OLD.expired_minor, OLD.converted_minor, OLD.entries_posted, OLD.head))
  EXECUTE FUNCTION funds_fund_is_guarded('the totals of a fund move only with an entry');
ALTER TABLE funds_fund ENABLE ALWAYS TRIGGER fund_totals_only_by_entry;
"""

EXPIRY_AT_THE_DEADLINE = """
CREATE FUNCTION funds_expiry_at_the_deadline() RETURNS trigger LANGUAGE plpgsql
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
      AND (least(p.recorded_at, present) < e.claims_close_at
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

# What is asked for is what the second person approves, and what was decided stands: a correction is another adjustment.
ADJUSTMENT_STANDS = """
CREATE FUNCTION funds_adjustment_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.status <> 'requested' OR
     (NEW.fund_id, NEW.to_fund_id, NEW.partner_id, NEW.purpose, NEW.amount_minor, NEW.reason_code, NEW.effective_on, NEW.note,
      NEW.second_person_needed, NEW.requested_by_id, NEW.requested_at) IS DISTINCT FROM
     (OLD.fund_id, OLD.to_fund_id, OLD.partner_id, OLD.purpose, OLD.amount_minor, OLD.reason_code, OLD.effective_on, OLD.note,
      OLD.second_person_needed, OLD.requested_by_id, OLD.requested_at) THEN
    RAISE EXCEPTION 'an adjustment is decided once and changes in nothing else' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER adjustment_stands BEFORE UPDATE OR DELETE ON funds_adjustment
  FOR EACH ROW EXECUTE FUNCTION funds_adjustment_stands();
ALTER TABLE funds_adjustment ENABLE ALWAYS TRIGGER adjustment_stands;
CREATE TRIGGER adjustment_is_never_truncated BEFORE TRUNCATE ON funds_adjustment
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE funds_adjustment ENABLE ALWAYS TRIGGER adjustment_is_never_truncated;
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
ALTER TABLE funds_adjustment ADD CONSTRAINT adjustment_fund_same_partner
  FOREIGN KEY (partner_id, fund_id) REFERENCES funds_fund (partner_id, id);
ALTER TABLE funds_adjustment ADD CONSTRAINT adjustment_to_fund_same_partner
  FOREIGN KEY (partner_id, to_fund_id) REFERENCES funds_fund (partner_id, id);
"""

# Lines come in by COPY, which fills in only what a default can say: whose they are, and their numbers. Every session numbers
# from a block of its own, so that two files that come in together do not take each other's numbers.
SENT_LINES = """
CREATE SEQUENCE funds_sentline_line_no CACHE 20000000;
ALTER TABLE funds_sentline
  ALTER import_id SET DEFAULT current_setting('coop.import_id')::bigint,
  ALTER line_no SET DEFAULT (nextval('funds_sentline_line_no') - current_setting('coop.lines_before')::bigint)::integer;
"""

NO_WAY_BACK = migrations.RunSQL.noop


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial"), ("partners", "0001_initial"), ("lib", "0002_clock_and_share")]
    operations = [
        migrations.RunSQL(sql, NO_WAY_BACK)
        for sql in (
            MOVEMENTS,
            APPEND_ONLY,
            CHAIN,
            ENTRY_MOVES_TOTALS,
            CONVERSION_IS_REBATE,
            LINKS_ONLY_BY_ENTRY,
            TOTALS_ONLY_BY_ENTRY,
            EXPIRY_AT_THE_DEADLINE,
            ADJUSTMENT_STANDS,
            ROOM_FOR_UPDATES,
            SAME_PARTNER,
            SENT_LINES,
        )
    ]
