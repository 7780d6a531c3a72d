"""What lower floors tell the upper ones. Sent after the commit, so that a receiver sees what it hears of."""

from django.dispatch import Signal

tile_built = Signal()
"""Arguments: tile_id. A tile's layers are on disk and its row says built."""

area_built = Signal()
"""Arguments: area_id. A build has gone through all its tiles. Receivers finish what a death between
commit and `tile_built` may have left undone; they must be able to run twice."""
