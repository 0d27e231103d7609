"""What duplicates are found by: keys of suppliers and numbers on lines, and pictures that are like each other."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

from claims.files.suppliers import number_key, supplier_key

# A line or a document that is taken out takes what was found with it along, also what somebody else finds meanwhile.
GONE_WITH_ITS_EVIDENCE = """
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT conname, pg_get_constraintdef(oid) AS said FROM pg_constraint
    WHERE conrelid = 'claims_duplicate'::regclass AND contype = 'f'
      AND confrelid IN ('claims_claimline'::regclass, 'claims_document'::regclass, 'claims_claim'::regclass)
  LOOP
    EXECUTE format('ALTER TABLE claims_duplicate DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
      found.conname, found.conname, replace(found.said, ' DEFERRABLE', ' ON DELETE CASCADE DEFERRABLE'));
  END LOOP;
END $$;
"""


def fill_keys(apps, schema_editor):
    ClaimLine = apps.get_model("claims", "ClaimLine")
    named = ClaimLine.objects.exclude(supplier="", invoice_number="")
    batch = []
    for line in named.only("id", "supplier", "invoice_number").iterator(2_000):
        line.supplier_key, line.number_key = supplier_key(line.supplier), number_key(line.invoice_number)
        batch.append(line)
        if len(batch) == 2_000:
            ClaimLine.objects.bulk_update(batch, ["supplier_key", "number_key"])
            batch.clear()
    ClaimLine.objects.bulk_update(batch, ["supplier_key", "number_key"])


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0005_walls_of_plans_and_evidence"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SamePicture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="duplicate",
            name="a_pair_of_documents_is_found_once",
        ),
        migrations.RemoveConstraint(
            model_name="duplicate",
            name="a_pair_of_lines_is_found_once",
        ),
        migrations.AddField(
            model_name="claimline",
            name="number_key",
            field=models.CharField(blank=True, editable=False, max_length=80),
        ),
        migrations.AddField(
            model_name="claimline",
            name="supplier_key",
            field=models.CharField(blank=True, editable=False, max_length=80),
        ),
        migrations.AddField(
            model_name="storedfile",
            name="checked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="storedfile",
            name="preview_tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="claimline",
            index=models.Index(
                condition=models.Q(("number_key", ""), _negated=True),
                fields=["supplier_key", "number_key"],
                name="line_by_invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="claimline",
            index=models.Index(
                models.F("supplier_key"),
                django.db.models.functions.comparison.Coalesce("cost_minor", "amount_minor"),
                models.F("invoiced_on"),
                condition=models.Q(models.Q(("supplier_key", ""), _negated=True), ("invoiced_on__isnull", False)),
                name="line_by_cost",
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicate",
            constraint=models.UniqueConstraint(
                models.F("kind"),
                django.db.models.functions.comparison.Least("document", "other_document"),
                django.db.models.functions.comparison.Greatest("document", "other_document"),
                condition=models.Q(("document__isnull", False)),
                name="a_pair_of_documents_is_found_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicate",
            constraint=models.UniqueConstraint(
                models.F("kind"),
                django.db.models.functions.comparison.Least("line", "other_line"),
                django.db.models.functions.comparison.Greatest("line", "other_line"),
                condition=models.Q(("line__isnull", False)),
                name="a_pair_of_lines_is_found_once",
            ),
        ),
        migrations.AddField(
            model_name="samepicture",
            name="other",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="claims.storedfile"
            ),
        ),
        migrations.AddField(
            model_name="samepicture",
            name="stored",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="claims.storedfile"
            ),
        ),
        migrations.AddConstraint(
            model_name="samepicture",
            constraint=models.UniqueConstraint(fields=("stored", "other"), name="a_pair_of_pictures_is_found_once"),
        ),
        migrations.AddConstraint(
            model_name="samepicture",
            constraint=models.CheckConstraint(
                condition=models.Q(("other__lt", models.F("stored"))), name="a_picture_is_like_an_earlier_one"
            ),
        ),
        migrations.RunSQL(GONE_WITH_ITS_EVIDENCE, migrations.RunSQL.noop),
        migrations.RunPython(fill_keys, migrations.RunPython.noop),
    ]
