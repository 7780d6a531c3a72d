"""From a release of the demo area to a trained network with the documented commands, on a CPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
APPROVE = """
import django
django.setup()
from uuid import uuid4
from portal.accounts.models import User
from tiles.models import TilePair
from tiles.review.services import tile_approve
for tile in TilePair.objects.filter(build_state="built", review_state="pending"):
    seen = tile.layer_versions()
    tile_approve(tile_id=tile.pk, seen=seen, seen_version=tile.version, by=User.objects.get(), client_id=uuid4())
"""
"""What a reviewer does on the pages, tile by tile."""


def documented() -> list[list[str]]:
    """The commands of docs/releases.md that lead there, without their interpreter."""
    text = (REPOSITORY / "docs/releases.md").read_text().split("### The same hour")[1].split("```")[1]
    lines = text.replace("\\\n", " ").splitlines()
    return [line.split()[1:] for line in lines if line.startswith("python")]


def test_a_network_beats_the_mean_height_on_ground_it_never_saw(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs `pip install -r requirements-readers.txt`")
    ours = ("DEMETER", "SECRET", "DATABASE_URL", "STATIC", "DJANGO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {**clean, "DEMETER_DATA": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": "portal.settings"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("manage.py", "demo", "--no-serve")
    run("-c", APPROVE)
    release, train = documented()
    folder = release[release.index("--out") + 1]
    run(*(str(tmp_path) if word == folder else word for word in release))
    said = run(*(word.replace(folder, str(tmp_path)) for word in train))
    print(said)
    blocks, drawn = re.findall(r"mean height.* RMSE +([\d.]+) m.*\n +U-Net +RMSE +([\d.]+) m", said)
    mean, network = map(float, blocks)
    assert network < mean
    assert float(drawn[1]) > 0
    assert re.search(r"A random split makes the RMSE look -?[\d.]+ % smaller", said)
