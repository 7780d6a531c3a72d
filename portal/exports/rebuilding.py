"""Writing the archive of a release again from what lies beside it and the stored layers, without its database."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from tiles.core.errors import ApplicationError, BadInput, Conflict
from tiles.core.files import remove_temporary, require_free

from .about import manifest_tiles
from .archive import KeptDiffers, Sealed, work_folder, work_kept, work_remove
from .record import Record, made_with
from .writing import archive_sink, archive_write


def release_rebuild(*, record: Record, manifest: Path, layers: Path, out: Path, on_tile: Callable[[], None]) -> Sealed:
    """Write the archive of a release again into `out`, byte for byte. Does not look into the database.

    record, manifest: what the release left beside its archive. layers: a data folder with the layers. A try that died
    goes on with its finished shards. Raises BadInput, Conflict when the archive is in `out` already, DiskFull, and
    ApplicationError for a layer that is not the one of then and for an archive that came out otherwise: nothing is
    left of it.
    """
    if not manifest.is_file():
        raise BadInput(f"{manifest} is not there. Take it out of the release's archive: the last file, if it has many.")
    if not layers.is_dir():
        raise BadInput(f"{layers} is not a folder. Give --layers the data folder that holds the areas.")
    for file in record.sealed.files:
        if (out / file.name).exists():
            raise Conflict(f"{out / file.name} is there already. Choose another folder with --out.", code="exists")
    require_free(out, record.sealed.size - work_kept(out))
    remove_temporary(work_folder(out))
    while not (sealed := _rebuilt(record, manifest, layers, out, on_tile)):
        pass
    work_remove(out)
    return sealed


def _rebuilt(record: Record, manifest: Path, layers: Path, out: Path, on_tile: Callable[[], None]) -> Sealed | None:
    """None when shards of an earlier try were other ones and had to go: begin again."""
    owner = f"rebuild-{os.getpid()}"
    try:
        with archive_sink(record.about, out, owner=owner, on_block=_go_on, fence=contextlib.nullcontext) as sink:
            sealed, _numbers = archive_write(record.about, manifest_tiles(manifest), sink, on_tile=on_tile, data=layers)
            if sealed != record.sealed:
                raise ApplicationError(_differs(record, sealed), code="rebuilt_differs")
            sink.land()
            return sealed
    except KeptDiffers:
        return None
    except ApplicationError as error:
        if error.code in ("rebuilt_differs", "tile_changed"):
            work_remove(out)
        raise


def _go_on() -> None:
    """Nobody else is at work, and nobody waits for a sign of life."""


def _differs(record: Record, sealed: Sealed) -> str:
    wanted = {file.name: file.sha256 for file in record.sealed.files}
    found = {file.name: file.sha256 for file in sealed.files}
    others = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    here = made_with()
    packages = [
        f"{name} {then}, here {here.get(name)}" for name, then in record.made_with.items() if here.get(name) != then
    ]
    why = f" It was made with {'; '.join(packages)}. Install those and try again." if packages else ""
    return f"Not the same bytes: {', '.join(others)}. Nothing was kept.{why}"
