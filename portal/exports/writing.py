"""Writing the archive of a release from what is frozen, be it in the database or beside an older archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .archive import MEGABYTE, ArchiveSink, Sealed
from .citing import CITATION, LICENSE, citation_text, license_text
from .croissant import DESCRIPTION, croissant_text
from .figures import figures_of
from .layouts import AboutRelease, FrozenTile, layout_of
from .manifest import MANIFEST
from .numbers import Tally
from .package import ReleasePackage
from .readme import README, readme_text
from .record import RECORD, record_text
from .shards import Fence


class Written(NamedTuple):
    """numbers: what it holds, as `numbers.Tally` counts it."""

    sealed: Sealed
    numbers: dict[str, Any]


def archive_sink(
    about: AboutRelease, folder: Path, *, owner: str, on_block: Callable[[], None], fence: Fence
) -> ArchiveSink:
    """The sink for a release whose archive is to lie in `folder`."""
    most = about.shard_megabytes * MEGABYTE
    return ArchiveSink(folder, about.name, most=most, owner=owner, on_block=on_block, fence=fence)


def archive_write(
    about: AboutRelease,
    tiles: Iterable[FrozenTile],
    sink: ArchiveSink,
    *,
    on_tile: Callable[[], None],
    data: Path | None = None,
) -> Written:
    """Put everything into the archive and seal it; what belongs beside it is staged. The same values and layers give
    the same bytes.

    data: the data folder with the layers, this site's when it is None. Raises ApplicationError for a tile that changed
    since, KeptDiffers.
    """
    layout = layout_of(about.layout)
    tally = Tally(about.tile_count)
    package = ReleasePackage(sink, tally, on_tile, data=data)
    layout.write(package.tiles(tiles), about, package)
    figures = figures_of(about.name, tally)
    sealed = sink.seal(
        {
            MANIFEST: package.manifest,
            **{figure.path: figure.text.encode() for figure in figures.all},
            README: readme_text(layout, about, package.splits, figures).encode(),
            LICENSE: license_text(about).encode(),
            CITATION: citation_text(about).encode(),
        }
    )
    sink.stage(MANIFEST, package.manifest)
    sink.stage(RECORD, record_text(about, sealed))
    sink.stage(DESCRIPTION, croissant_text(about, sealed).encode())
    return Written(sealed, tally.numbers())
