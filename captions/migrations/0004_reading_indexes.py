from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("captions", "0003_search")]

    operations = [
        migrations.AddIndex(
            model_name="caption",
            index=models.Index(fields=["state", "-updated_at", "-id"], name="caption_newest_of_state"),
        ),
        migrations.AddIndex(
            model_name="caption",
            index=models.Index(fields=["area", "state", "-updated_at", "-id"], name="caption_of_area_and_state"),
        ),
        migrations.AddIndex(
            model_name="caption",
            index=models.Index(condition=models.Q(("flagged", True)), fields=["area", "id"], name="caption_flagged"),
        ),
        migrations.AddIndex(
            model_name="captionrevision",
            index=models.Index(
                condition=models.Q(("author__isnull", False)), fields=["-id"], name="revision_by_people"
            ),
        ),
    ]
