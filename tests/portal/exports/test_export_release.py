"""The command, in this process."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.exports.models import Release
from portal.exports.services import release_create
from tests.support.factories import make_area
from tests.support.releases import archive_path, job_of
from tiles.core.paths import layer_path
from tiles.jobs.services import job_pause
from tiles.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def export(name: str, out: Path, *slugs: str, **options: Any) -> str:
    from io import StringIO

    said = StringIO()
    call_command("export_release", name, "--area", *slugs, "--out", str(out), stdout=said, **options)
    return said.getvalue()


def test_makes_and_places_a_release(coast: Any, tmp_path: Path) -> None:
    out = tmp_path / "made" / "on the way"
    said = export("coast-v1", out, "coast", notes="By the shell.")
    release = Release.objects.get(name="coast-v1")
    placed = out / "coast-v1.zip"
    assert (release.state, release.created_by, release.notes) == (Release.State.READY, None, "By the shell.")
    assert hashlib.sha256(placed.read_bytes()).hexdigest() == release.sha256
    assert (out / "coast-v1.zip.sha256").read_text() == f"{release.sha256}  coast-v1.zip\n"
    assert sorted(path.name for path in out.iterdir()) == [
        *("coast-v1.croissant.json", "coast-v1.zip", "coast-v1.zip.sha256")
    ]
    assert release.sha256 in said
    assert str(placed) in said
    assert archive_path("coast-v1").samefile(placed)


def test_says_what_was_left_out(coast: Any, tmp_path: Path) -> None:
    _area, tiles = coast
    tiles[0].refresh_from_db()
    tiles[0].distinct_heights = 3
    tiles[0].save()
    assert "Left out: 1 as good as flat" in export("coast-v1", tmp_path / "out", "coast")


@pytest.mark.parametrize(
    ("name", "slugs", "options", "message"),
    [
        ("Coast V1", ["coast"], {}, "cannot be the name of a release"),
        ("v1", ["nowhere"], {}, "There is no area nowhere"),
        ("v1", ["empty"], {}, "No tile of empty is approved"),
        ("v1", ["coast"], {"layout": "floppy"}, "There is no layout 'floppy'"),
        ("v1", ["coast"], {"option": ["colour_maps=yes"]}, "'colour_maps=yes' is no option"),
        ("v1", ["coast"], {"option": ["colour_maps=2"]}, "colour_maps is a whole number from 0 to 1."),
    ],
)
def test_bad_input_is_one_sentence(
    name: str, slugs: list[str], options: dict[str, str], message: str, coast: Any, tmp_path: Path
) -> None:
    make_area("empty")
    with pytest.raises(CommandError) as refused:
        export(name, tmp_path / "out", *slugs, **options)
    assert message in str(refused.value)
    assert not Release.objects.exists()


def test_out_is_looked_at_before_the_work(coast: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CommandError, match="is not a folder"):
        export("v1", file, "coast")
    with pytest.raises(CommandError, match="cannot be made"):
        export("v1", file / "below", "coast")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "v1.zip").write_text("")
    with pytest.raises(CommandError, match="is there already"):
        export("v1", taken, "coast")
    assert not Release.objects.exists()


def test_a_name_that_is_taken(coast: Any, released: Callable[..., Release], tmp_path: Path) -> None:
    released("coast-v1", "coast")
    with pytest.raises(CommandError, match="There is already a release"):
        export("coast-v1", tmp_path / "out", "coast")


def test_the_same_command_goes_on(coast: Any, tmp_path: Path) -> None:
    release = release_create(name="v1", area_slugs=["coast"], background=False)
    assert release.job_id is not None
    job_pause(job_id=release.job_id, by=None)
    assert "Going on" in export("v1", tmp_path / "out", "coast")
    assert (tmp_path / "out" / "v1.zip").exists()


def test_the_same_command_tries_again(coast: Any, tmp_path: Path) -> None:
    layer = layer_path("coast", "dem", 0)
    shutil.move(layer, tmp_path / "aside.tif")
    with pytest.raises(CommandError, match="coast tile_0: the file of its layer dem is not the one"):
        export("v1", tmp_path / "out", "coast")
    shutil.move(tmp_path / "aside.tif", layer)
    export("v1", tmp_path / "out", "coast")
    release = Release.objects.get()
    assert job_of(release).state == Job.State.DONE
    assert (tmp_path / "out" / "v1.zip").stat().st_size == release.size


def test_a_disk_that_fills_up(coast: Any, tmp_path: Path, settings: Any) -> None:
    settings.DEMETER_MIN_FREE = 1 << 60
    with pytest.raises(CommandError, match="nearly full"):
        export("v1", tmp_path / "out", "coast")
