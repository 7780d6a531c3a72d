from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exports", "0002_making")]

    operations = [
        migrations.AddField(
            model_name="release",
            name="options",
            field=models.JSONField(blank=True, default=dict, help_text="Of the layout: those that were chosen."),
        ),
    ]
