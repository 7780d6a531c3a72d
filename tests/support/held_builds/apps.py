from django.apps import AppConfig


class HeldBuildsConfig(AppConfig):
    name = "tests.support.held_builds"
    label = "held_builds"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from . import points
        from .kind import HeldBuildKind

        points.watch_renames()
        register(HeldBuildKind())
