from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exports", "0004_files")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="shard_megabytes",
            field=models.PositiveIntegerField(
                default=4000, help_text="A larger archive is cut into files of so many megabytes at the most."
            ),
        ),
    ]
