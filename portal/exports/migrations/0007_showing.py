from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exports", "0006_getting")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="statistics",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What its manifest says in numbers; filled when the archive is written.",
            ),
        ),
    ]
