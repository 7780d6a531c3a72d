from django.apps import AppConfig


class TilesConfig(AppConfig):
    name = "tiles"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Tiles"

    def ready(self) -> None:
        from .atlas.receivers import refresh_built
        from .build.drop import DropKind
        from .build.kind import BuildKind
        from .build.restretch import RestretchKind
        from .core.signals import area_built
        from .jobs import tether  # noqa: F401  worker processes hear of it by a signal
        from .jobs.registry import register
        from .review.bulk import JOB as BULK
        from .review.twins import twins_of_built
        from .uploads.kind import UploadCheckKind

        area_built.connect(refresh_built, dispatch_uid="atlas-built")
        area_built.connect(twins_of_built, dispatch_uid="twins-built")
        register(BuildKind())
        register(DropKind())
        register(RestretchKind())
        register(UploadCheckKind())
        register(BULK)
