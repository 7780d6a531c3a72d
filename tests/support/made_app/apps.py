import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class MadeAppConfig(AppConfig):
    name = "tests.support.made_app"
    label = "made_app"

    def ready(self) -> None:
        from tiles.core.signals import tiles_built

        tiles_built.connect(note, dispatch_uid="made")


def note(tile_ids: Sequence[int], **_signal: Any) -> None:
    """One line a tile: `<tile> <cluster>/<process>`, appended in one write, so that processes do not mix theirs."""
    from django.conf import settings

    who = f"{os.environ.get('DEMETER_CLUSTER', 'shell')}/{os.getpid()}"
    lines = "".join(f"{tile_id} {who}\n" for tile_id in tile_ids)
    handle = os.open(Path(settings.DEMETER_DATA) / "made.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, lines.encode())
    finally:
        os.close(handle)
