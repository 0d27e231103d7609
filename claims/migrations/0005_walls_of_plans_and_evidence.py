"""What the database itself refuses of plans, publications and decisions; and documents without their old columns."""

from django.db import migrations, models

SAME_FUND = """
ALTER TABLE claims_plan ADD CONSTRAINT plan_fund_same_partner
  FOREIGN KEY (partner_id, fund_id) REFERENCES funds_fund (partner_id, id);
CREATE FUNCTION claims_on_its_own_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.plan_activity_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM claims_planactivity a JOIN claims_plan p ON p.id = a.plan_id
    WHERE a.id = NEW.plan_activity_id AND p.fund_id = NEW.fund_id AND p.partner_id = NEW.partner_id) THEN
    RAISE EXCEPTION 'a claim is made on a plan of its own fund'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_is_on_a_plan_of_its_fund';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER claim_is_on_a_plan_of_its_fund BEFORE INSERT OR UPDATE OF plan_activity_id, fund_id ON claims_claim
  FOR EACH ROW EXECUTE FUNCTION claims_on_its_own_plan();
ALTER TABLE claims_claim ENABLE ALWAYS TRIGGER claim_is_on_a_plan_of_its_fund;
"""

APPEND_ONLY = """
CREATE TRIGGER publication_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON claims_publication
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE claims_publication ENABLE ALWAYS TRIGGER publication_is_append_only;
CREATE TRIGGER decision_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON claims_decision
  FOR EACH STATEMENT EXECUTE FUNCTION coop_append_only();
ALTER TABLE claims_decision ENABLE ALWAYS TRIGGER decision_is_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("claims", "0004_keep_files_once")]
    operations = [
        migrations.RemoveField(
            model_name='document',
            name='file',
        ),
        migrations.RemoveField(
            model_name='document',
            name='media_type',
        ),
        migrations.RemoveField(
            model_name='document',
            name='sha256',
        ),
        migrations.RemoveField(
            model_name='document',
            name='size',
        ),
        migrations.AddConstraint(
            model_name='document',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stored__isnull', False), ('url', '')), models.Q(('stored__isnull', True), models.Q(('url', ''), _negated=True)), _connector='OR'), name='document_is_a_file_or_a_link'),
        ),
        *[migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (SAME_FUND, APPEND_ONLY)],
    ]
