"""Documents name the bytes that they share by hash: each file that was kept becomes a stored file."""

from django.db import migrations


def keep_files_once(apps, schema_editor):
    Document, StoredFile = apps.get_model("claims", "Document"), apps.get_model("claims", "StoredFile")
    for document in Document.objects.exclude(file="").order_by("id").iterator():
        stored, _ = StoredFile.objects.get_or_create(
            sha256=document.sha256,
            defaults={
                "file": document.file.name,
                "media_type": document.media_type,
                "size": document.size,
                "created_at": document.created_at,
            },
        )
        Document.objects.filter(id=document.id).update(stored=stored)


class Migration(migrations.Migration):
    dependencies = [("claims", "0003_plans_rules_and_evidence")]
    operations = [migrations.RunPython(keep_files_once, migrations.RunPython.noop)]
