import os
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class MadeAppConfig(AppConfig):
    name = "tests.support.made_app"
    label = "made_app"

    def ready(self) -> None:
        from tiles.core.signals import tile_built

        tile_built.connect(note, dispatch_uid="made")


def note(tile_id: int, **_signal: Any) -> None:
    """One line a tile: `<tile> <cluster>/<process>`, appended in one write, so that processes do not mix theirs."""
    from django.conf import settings

    line = f"{tile_id} {os.environ.get('DEMETER_CLUSTER', 'shell')}/{os.getpid()}\n"
    handle = os.open(Path(settings.DEMETER_DATA) / "made.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)
