"""The review log against the tables."""

from __future__ import annotations

from tiles.models import Area, ReviewDecision
from tiles.models.choices import ReviewState


def assert_log_replays(area: Area) -> None:
    """Each entry goes on from where the one before it ended, and the last of a tile is what the tile stands at."""
    reached = {tile.pk: (ReviewState.PENDING.value, "", 0) for tile in area.tiles.all()}
    for entry in ReviewDecision.objects.filter(tile__area=area).order_by("id"):
        state, reason, version = reached[entry.tile_id]
        assert (entry.from_state, entry.from_reason, entry.tile_version) == (state, reason, version + 1), entry.pk
        reached[entry.tile_id] = (entry.to_state, entry.to_reason, version + 1)
    assert reached == {tile.pk: (tile.review_state, tile.reason, tile.version) for tile in area.tiles.all()}
