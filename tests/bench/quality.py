"""How well the quality measures find what is wrong: shifts planted on real imagery, flaws of all kinds in a queue."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from tests.bench.report import cpu_seconds, show
from tiles.raster.clouds import measure_clouds
from tiles.raster.dem_faults import measure_dem
from tiles.raster.grid import Grid
from tiles.raster.likeness import likeness_of
from tiles.raster.measuring import measure_quality
from tiles.raster.picture_faults import measure_picture
from tiles.raster.shift import AZIMUTHS, FLAG_FROM_PX, Trial, null_threshold, shift_trials

ZION = Path(__file__).resolve().parents[3] / "shared" / "data" / "zion"
SIZE, STRIDE, MARGIN = 128, 48, 12
SHIFTS = (2, 3, 5, 8)
# Thresholds were chosen with scene 3 at hand: those that are printed were not looked at before. Name others to try.
SEEDS, ACROSS = tuple(int(seed) for seed in os.environ.get("BENCH_SEEDS", "21,22,23,24,25").split(",")), 10
PLANTED_SHARE = 0.05


def zion_on(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]:
    """Heights (H, W), imagery (4, H, W), what is covered (H, W), pixel size: on the grid of one of the two files."""
    with rasterio.open(ZION / path) as target:
        place = {"crs": target.crs, "transform": target.transform, "width": target.width, "height": target.height}
        pixel = Grid.of(target).pixel_size_m()
    bands = []
    for name in ("zion_srtm_3arcsec.tif", "zion_landsat8_rgbn_30m.tif"):
        with (
            rasterio.open(ZION / name) as dataset,
            WarpedVRT(dataset, **place, resampling=Resampling.bilinear, src_nodata=65535, nodata=65535) as warped,
        ):
            bands.append(warped.read())
    dem, imagery = bands
    valid = (dem[0] != 65535) & (imagery != 65535).all(axis=0)
    return dem[0].astype(np.float32), imagery.astype(np.float32), valid, pixel


def shifts_on_zion(grid_of: str) -> list[tuple[str, str]]:
    dem, imagery, valid, pixel = zion_on(grid_of)
    rows = []
    corners = [
        (row, col)
        for row in range(MARGIN, dem.shape[0] - SIZE - MARGIN, STRIDE)
        for col in range(MARGIN, dem.shape[1] - SIZE - MARGIN, STRIDE)
        if valid[row - MARGIN : row + SIZE + MARGIN, col - MARGIN : col + SIZE + MARGIN].all()
    ]
    for name, picture in (("NIR", imagery[3]), ("luminance", imagery[:3].mean(axis=0))):
        random = np.random.default_rng(1)

        def cut(values: np.ndarray, row: int, col: int) -> np.ndarray:
            return values[row : row + SIZE, col : col + SIZE]

        sums = np.zeros(len(AZIMUTHS))
        for corner in corners:
            trials = shift_trials(cut(dem, *corner), cut(picture, *corner), *pixel)
            sums += [trial.peak for trial in trials]
        sun = AZIMUTHS[int(sums.argmax())]

        def fit(at: tuple[int, int], of: tuple[int, int], picture: Any = picture, sun: int = sun) -> Trial:
            return shift_trials(cut(dem, *at), cut(picture, *of), *pixel, azimuths=(sun,))[0]

        def mismatched(number: int, random: Any, fit: Any = fit) -> list[float]:
            peaks: list[float] = []
            while len(peaks) < number:
                a, b = (corners[int(k)] for k in random.choice(len(corners), 2))
                if max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= SIZE:
                    peaks.append(fit(a, b).peak)
            return peaks

        threshold = null_threshold(mismatched(48, random)) or 0.0
        unknown = np.mean([peak < threshold for peak in mismatched(200, np.random.default_rng(2))])
        still = [fit(corner, corner) for corner in corners]
        alarms = np.mean([trial.peak >= threshold and trial.length >= FLAG_FROM_PX for trial in still])
        known = np.mean([trial.peak >= threshold for trial in still])
        rows.append((f"{name}, {len(corners)} tiles", f"sun at {sun} degrees; known {known:.1%}"))
        rows.append(("  false alarms", f"{alarms:.1%}"))
        for length in SHIFTS:
            found = []
            for row, col in corners:
                down, right = _direction(length, random)
                trial = fit((row, col), (row + down, col + right))
                found.append(trial.peak >= threshold and trial.length >= FLAG_FROM_PX)
            rows.append((f"  flagged of those shifted by {length} px", f"{np.mean(found):.1%}"))
        rows.append(("  mismatched pairs that are unknown", f"{unknown:.1%}"))
    flat = shift_trials(np.full((SIZE, SIZE), 5.0), picture[:SIZE, :SIZE], *pixel)
    rows.append(("flat tile", "unknown" if not flat else f"{flat[0].length:.1f} px, peak {flat[0].peak:.2f}"))
    return rows


def _direction(length: int, random: np.random.Generator) -> tuple[int, int]:
    """Whole pixels in any direction, at least `length` and less than a pixel more."""
    while True:
        down, right = (int(step) for step in random.integers(-length - 1, length + 2, 2))
        if length <= np.hypot(down, right) < length + 0.5:
            return down, right


class Country:
    """One generated scene with its imagery on the grid of its heights, in which more flaws are planted by window."""

    def __init__(self, folder: Path, seed: int) -> None:
        from portal.demo.scene import make_scene

        made = make_scene(folder, seed=seed, tiles=ACROSS, tile_size=SIZE, files=(2, 1))
        self.folder = folder
        # Of two tiles that show the same, the later one is the duplicate.
        self.flaws = {
            max((flaw.dem_file, flaw.col, flaw.row), flaw.source or ("", 0, 0)): flaw.kind
            for flaw in made.anomalies
            if flaw.kind != "void over limit"
        }
        self.dems, self.imagery, self.profiles = {}, {}, {}
        for name in made.dem_files:
            with rasterio.open(made.dem_folder / name) as dataset:
                self.dems[name], self.profiles[name] = dataset.read(1), dataset.profile
            place = {key: self.profiles[name][key] for key in ("crs", "transform", "width", "height")}
            with (
                rasterio.open(made.imagery_folder / made.imagery_files[0]) as source,
                WarpedVRT(source, **place, resampling=Resampling.bilinear, src_nodata=0, nodata=0) as warped,
            ):
                self.imagery[name] = warped.read()

    def plant(self, count: int, random: np.random.Generator, first: int) -> None:
        """Plant `count` flaws, each of the next kind, beginning with the kind of number `first`."""
        free = [
            (name, col, row)
            for name in self.dems
            for col in range(ACROSS)
            for row in range(ACROSS)
            if (name, col, row) not in self.flaws and self._is_land(name, col, row)
        ]
        chosen = [free[int(k)] for k in random.choice(len(free), count + 1, replace=False)]
        *places, source = chosen
        for number, place in enumerate(places):
            kind, work = PLANTS[(first + number) % len(PLANTS)]
            dem, picture = self.window(*place)
            if kind == "duplicate":
                earlier, place = sorted((place, source))
                for into, out_of in zip(self.window(*place), self.window(*earlier), strict=True):
                    into[...] = out_of
            else:
                work(dem, picture, random)
            self.flaws[place] = kind

    def window(self, name: str, col: int, row: int) -> tuple[np.ndarray, np.ndarray]:
        box = slice(row * SIZE, (row + 1) * SIZE), slice(col * SIZE, (col + 1) * SIZE)
        return self.dems[name][box], self.imagery[name][(slice(None), *box)]

    def _is_land(self, name: str, col: int, row: int) -> bool:
        dem, picture = self.window(name, col, row)
        return bool((dem > 0).mean() > 0.5 and picture.any(axis=0).all() and np.ptp(dem) > 60 and (dem > -999).all())

    def write(self) -> tuple[Path, Path]:
        for name, dem in self.dems.items():
            profile = self.profiles[name] | {"count": 1}
            with rasterio.open(self.folder / "dem" / name, "w", **profile) as target:
                target.write(dem, 1)
            profile |= {"count": 4, "dtype": "uint16", "nodata": 0, "photometric": "MINISBLACK"}
            (self.folder / "planted").mkdir(exist_ok=True)
            with rasterio.open(self.folder / "planted" / name, "w", **profile) as target:
                target.write(self.imagery[name])
                target.scales = (1e-4,) * 4
        return self.folder / "dem", self.folder / "planted"


def _blob(random: np.random.Generator, share: float) -> np.ndarray:
    """A soft patch, (SIZE, SIZE) 0..1, that covers about this share of a tile."""
    row, col = np.mgrid[0:SIZE, 0:SIZE]
    middle = random.uniform(0.3, 0.7, 2) * SIZE
    radius = SIZE * np.sqrt(share / np.pi)
    return np.clip(1.5 - np.hypot(row - middle[0], col - middle[1]) / radius, 0, 1)


def _cloud(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    patch = _blob(random, random.uniform(0.1, 0.4))
    top = 4500 + 400 * random.normal(size=patch.shape)
    picture[...] = np.clip(picture * (1 - patch) + top * patch, 1, 65535)


def _haze(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    veil = random.uniform(0.5, 0.8)
    for band, air in zip(picture, (1750, 1900, 2200, 1900), strict=True):
        band[...] = band * (1 - veil) + air * veil


def _saturate(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    picture[:3] = np.minimum(picture[:3], np.quantile(picture[:3], random.uniform(0.85, 0.95)))


def _blur(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    reach = int(random.integers(2, 4))
    soft = picture.astype(np.float32)
    for axis in (1, 2):
        soft = np.mean([np.roll(soft, step, axis) for step in range(-reach, reach + 1)], axis=0)
    picture[...] = soft


def _stripes(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    picture[...] = np.clip(picture * random.normal(1, 0.12, (1, SIZE, 1)), 1, 65535)


def _shift(dem: np.ndarray, _picture: np.ndarray, random: np.random.Generator) -> None:
    down, right = _direction(int(random.integers(3, 9)), random)
    dem[...] = np.pad(dem, 12, mode="reflect", reflect_type="odd")[12 + down :, 12 + right :][:SIZE, :SIZE]


def _spikes(dem: np.ndarray, _picture: np.ndarray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(2, 6))):
        row, col = random.integers(2, SIZE - 2, 2)
        dem[row, col] += random.integers(80, 400) * random.choice((-1, 1))


def _terraces(dem: np.ndarray, _picture: np.ndarray, random: np.random.Generator) -> None:
    step = max(5, int(np.ptp(dem)) // int(random.integers(17, 24)))
    dem[...] = dem // step * step + 1


def _few_heights(dem: np.ndarray, _picture: np.ndarray, _random: np.random.Generator) -> None:
    step = -(-int(np.ptp(dem)) // 10)
    dem[...] = dem // step * step + 1


def _flat(dem: np.ndarray, _picture: np.ndarray, _random: np.random.Generator) -> None:
    dem[...] = int(dem.mean())


def _void(dem: np.ndarray, _picture: np.ndarray, random: np.random.Generator) -> None:
    dem[_blob(random, random.uniform(0.02, 0.06)) > 0.5] = -32767


def _blank(_dem: np.ndarray, picture: np.ndarray, random: np.random.Generator) -> None:
    picture[:, _blob(random, random.uniform(0.02, 0.06)) > 0.5] = 0


PLANTS = (
    ("cloud", _cloud),
    ("shift", _shift),
    ("haze", _haze),
    ("spikes", _spikes),
    ("duplicate", _flat),
    ("blurred", _blur),
    ("terraces", _terraces),
    ("saturated", _saturate),
    ("stripes", _stripes),
    ("void", _void),
    ("blank", _blank),
    ("few heights", _few_heights),
    ("flat", _flat),
)


def queue_of_flaws(folder: Path) -> list[tuple[str, str]]:
    """Build generated scenes with planted flaws, put all tiles into one queue by score, and look where they are."""
    from tiles.build.services import AreaFacts, BuildOptions, area_build_start
    from tiles.jobs.runner import run_here
    from tiles.models import Area

    queue: list[tuple[float, str, int, list[str], str]] = []
    by_rule: Counter[str] = Counter()
    for number, seed in enumerate(SEEDS):
        country = Country(folder / str(seed), seed)
        count = max(3, round(PLANTED_SHARE * 2 * ACROSS * ACROSS) - len(country.flaws))
        country.plant(count, np.random.default_rng(seed), first=count * number)
        dems, imagery = country.write()
        job = area_build_start(
            slug=f"seed-{seed}",
            dems=[dems],
            imagery=f"raster:{imagery}",
            options=BuildOptions(nir=4, tile_size=SIZE, void_limit=15, uncovered_limit=15),
            facts=AreaFacts(name=f"Seed {seed}"),
            background=False,
        )
        job = run_here(job.pk, lambda _job: None)
        area = Area.objects.get(slug=f"seed-{seed}")
        for tile in area.tiles.filter(build_state="built").select_related("dem_file"):
            place = (tile.dem_file.name, tile.window_col // SIZE, tile.window_row // SIZE)
            kind = country.flaws.get(place, "not covered" if tile.uncovered_share else "")
            if tile.review_state != "pending":  # too flat: nobody needs to look at it
                by_rule[kind] += 1
                continue
            causes = [cause["code"] for cause in tile.causes]
            queue.append((tile.score, area.slug, tile.index, causes, kind))
    queue.sort(key=lambda each: (-each[0], each[1], each[2]))
    head = queue[: len(queue) // 10]
    planted = Counter(kind for *_rest, kind in queue if kind)
    found = Counter(kind for *_rest, kind in head if kind)
    total = sum(planted.values())
    rows = [
        (
            "rejected by rule for their heights",
            f"{by_rule.total()}: flawless {by_rule[''] or 'none'}"
            + "".join(f", {kind} {number}" for kind, number in sorted(by_rule.items()) if kind),
        ),
        ("tiles in the queue, of them flawed", f"{len(queue)}, {total} ({total / len(queue):.1%})"),
        (
            "flaws in the first 10 % of the queue",
            f"{found.total()} of {total}: {found.total() / total:.1%}",
        ),
        ("flawless tiles with a score above 0.3", f"{np.mean([s > 0.3 for s, *_, kind in queue if not kind]):.1%}"),
    ]
    rows += [(f"  {kind}", f"{found[kind]} of {number}") for kind, number in sorted(planted.items())]
    blamed = Counter(cause for *_rest, causes, kind in queue if not kind for cause in causes)
    rows.append(("causes named on flawless tiles", ", ".join(f"{c} {n}" for c, n in blamed.most_common()) or "none"))
    return rows


def time_of_a_tile(folder: Path) -> list[tuple[str, str]]:
    """CPU of each measure on a generated 512 x 512 tile with near infrared, and on the same under haze."""
    country = Country(folder, SEEDS[0])
    windows = [
        (dem[box], country.imagery[name][(slice(None), *box)])
        for name, dem in country.dems.items()
        for row in range(0, dem.shape[0] - 511, 256)
        for col in range(0, dem.shape[1] - 511, 256)
        for box in [(slice(row, row + 512), slice(col, col + 512))]
    ]
    # Where there is nothing to see, measures end early: the least level of all.
    dem, picture = min(windows, key=lambda window: float((np.diff(window[0]) == 0).mean()))
    grid = Grid("EPSG:32633", (30.0, 0.0, 500_000.0, 0.0, -30.0, 4_000_000.0), 512, 512)
    void, valid = dem < -999, picture.any(axis=0)
    hazy = (picture * 0.4 + np.array([1050, 1140, 1320, 1140])[:, None, None]).astype(np.uint16)

    rgb = np.ascontiguousarray(np.moveaxis(picture[:3], 0, 2))
    light = picture[:3].mean(axis=0, dtype=np.float32)
    reflectance = picture.astype(np.float32) * np.float32(1e-4)
    works: dict[str, Any] = {
        "all measures together": lambda: measure_quality(
            rgb=rgb, nir=picture[3], valid=valid, scale=1e-4, offset=0.0, dem=dem, void=void, grid=grid
        ),
        "  blank, saturation, sharpness, stripes": lambda: measure_picture(picture[:3], light, valid),
        "  spikes, terraces, flat": lambda: measure_dem(dem, 30, void),
        "  cloud and haze": lambda: measure_clouds(reflectance[:3], reflectance[3], valid),
        "  cloud and haze, all under haze": lambda: measure_clouds(hazy[:3] * np.float32(1e-4), None, valid),
        "  hash and small copies": lambda: likeness_of(light, dem, void | ~valid),
        "  shift": lambda: shift_trials(dem, picture[3], 30, 30, void | ~valid),
    }
    return [(name, f"{1000 * cpu_seconds(work, 15):.1f} ms CPU") for name, work in works.items()]


def main() -> None:
    if ZION.is_dir():
        show("Planted shifts on Zion, heights on the Landsat grid", shifts_on_zion("zion_landsat8_rgbn_30m.tif"))
        show("Planted shifts on Zion, imagery on the DEM grid", shifts_on_zion("zion_srtm_3arcsec.tif"))
    else:
        show("Planted shifts on Zion", [("skipped", "the real sample data is not beside the checkout")])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DEMETER_DATA"] = str(Path(folder) / "data")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        show("Quality measures of a 512 x 512 tile", time_of_a_tile(Path(folder) / "time"))
        show("Flaws of every kind in generated scenes", queue_of_flaws(Path(folder) / "scenes"))


if __name__ == "__main__":
    main()
