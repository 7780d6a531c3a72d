from django.apps import AppConfig


class HeldReleasesConfig(AppConfig):
    name = "tests.support.held_releases"
    label = "held_releases"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from .kind import HeldReleaseJob

        register(HeldReleaseJob())
