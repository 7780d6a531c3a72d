from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "portal.exports"
    label = "exports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tiles.atlas.colourings import colouring_register
        from tiles.jobs.registry import register

        from .colouring import SplitColouring
        from .jobs import ReleaseJob

        register(ReleaseJob())
        colouring_register(SplitColouring())
