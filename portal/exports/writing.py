"""Writing the archive of a release from what is frozen, be it in the database or beside an older archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from .archive import MEGABYTE, ArchiveSink, Sealed
from .citing import CITATION, LICENSE, citation_text, license_text
from .croissant import DESCRIPTION, croissant_text
from .layouts import AboutRelease, FrozenTile, layout_of
from .manifest import MANIFEST
from .package import ReleasePackage
from .readme import README, readme_text
from .record import RECORD, record_text
from .shards import Fence


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
) -> Sealed:
    """Put everything into the archive and seal it; what belongs beside it is staged. The same values and layers give
    the same bytes.

    data: the data folder with the layers, this site's when it is None. Raises ApplicationError for a tile that changed
    since, KeptDiffers.
    """
    layout = layout_of(about.layout)
    package = ReleasePackage(sink, on_tile, data=data)
    layout.write(package.tiles(tiles), about, package)
    sealed = sink.seal(
        {
            MANIFEST: package.manifest,
            README: readme_text(layout, about, package.splits).encode(),
            LICENSE: license_text(about).encode(),
            CITATION: citation_text(about).encode(),
        }
    )
    sink.stage(MANIFEST, package.manifest)
    sink.stage(RECORD, record_text(about, sealed))
    sink.stage(DESCRIPTION, croissant_text(about, sealed).encode())
    return sealed
