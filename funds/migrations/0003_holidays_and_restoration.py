"""Programs say whose public holidays count; and money that expired comes back for a dispute that was decided for its partner."""

from django.db import migrations, models

MOVEMENTS = """
ALTER TABLE funds_entry DROP CONSTRAINT entry_is_a_known_movement;
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
  ('write_off', 'program', 'available'),
  ('restoration', 'expired', 'in_review')));
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0002_ledger")]
    operations = [
        migrations.AddField(
            model_name="program",
            name="holiday_country",
            field=models.CharField(default="US", max_length=2),
        ),
        migrations.RunSQL(MOVEMENTS, migrations.RunSQL.noop),
    ]
