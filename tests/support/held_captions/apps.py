from django.apps import AppConfig


class HeldCaptionsConfig(AppConfig):
    name = "tests.support.held_captions"
    label = "held_captions"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from .kind import HeldCaptionKind

        register(HeldCaptionKind())
