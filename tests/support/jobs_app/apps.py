from django.apps import AppConfig


class JobsAppConfig(AppConfig):
    name = "tests.support.jobs_app"
    label = "jobs_app"

    def ready(self) -> None:
        from tiles.jobs.registry import register

        from .kinds import Writing

        register(Writing())
