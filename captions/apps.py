from django.apps import AppConfig


class CaptionsConfig(AppConfig):
    name = "captions"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Captions"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from . import receivers  # noqa: F401 - connects them
        from .bulk import JOB as CAPTIONS_EDIT
        from .writing.kind import CaptionKind

        register(CAPTIONS_EDIT)
        register(CaptionKind())
