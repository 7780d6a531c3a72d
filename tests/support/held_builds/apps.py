import math

from django.apps import AppConfig


class HeldBuildsConfig(AppConfig):
    name = "tests.support.held_builds"
    label = "held_builds"

    def ready(self) -> None:
        from tiles.build import hand
        from tiles.jobs.registry import register

        from . import points
        from .kind import HeldBuildKind

        # Points are named by their chunks. On a busy machine, or after a hold, a chunk would end before its last tile,
        # and its rest become a chunk of another number, so that nobody ever came to the points of those tiles.
        hand.SECONDS_A_CHUNK = math.inf
        points.watch_renames()
        register(HeldBuildKind())
