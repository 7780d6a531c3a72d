"""The full-text table, made by the database's own means, and filled with the captions there are."""

from django.db import migrations

from captions.search.engines import Words, engine

BATCH = 2000


def create(apps, schema_editor):
    for statement in engine().create:
        schema_editor.execute(statement)
    caption = apps.get_model("captions", "Caption")
    last = 0
    while rows := list(caption.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        terms = [tuple(row.components.get("terms") or ()) for row in rows]
        engine().write(
            [Words(row.pk, row.area_id, row.origin, row.text, of_row) for row, of_row in zip(rows, terms, strict=True)]
        )
        last = rows[-1].pk


def drop(_apps, schema_editor):
    for statement in engine().drop:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("captions", "0002_captioning")]

    operations = [migrations.RunPython(create, drop)]
