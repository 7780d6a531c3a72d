import django.db.models.deletion
from django.db import migrations, models


def name_the_archives(apps, _schema_editor):
    """Releases that are ready already have one file: their archive."""
    ready = apps.get_model("exports", "Release").objects.filter(state="ready")
    file = apps.get_model("exports", "ReleaseFile")
    for release in ready.iterator():
        file.objects.create(
            release=release, position=0, name=f"{release.name}.zip", size=release.size, sha256=release.sha256
        )


def forget(apps, schema_editor):
    """The table goes with its rows."""


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0003_layouts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="release",
            name="sha256",
            field=models.CharField(
                blank=True, help_text="Of the archive; of the list of all checksums if many.", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="size",
            field=models.BigIntegerField(blank=True, help_text="Bytes of all its files.", null=True),
        ),
        migrations.CreateModel(
            name="ReleaseFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("name", models.CharField(help_text="As in coast-1.zip; unique in the release.", max_length=120)),
                ("size", models.BigIntegerField(help_text="Bytes.")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="exports.release"
                    ),
                ),
            ],
            options={
                "ordering": ["release_id", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("release", "position"), name="one_file_a_position"),
                    models.UniqueConstraint(fields=("release", "name"), name="a_file_name_once_a_release"),
                ],
            },
        ),
        migrations.RunPython(name_the_archives, forget),
    ]
