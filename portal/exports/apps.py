from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "portal.exports"
    label = "exports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from .jobs import ReleaseJob

        register(ReleaseJob())
