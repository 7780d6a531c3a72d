"""What lower floors tell the upper ones. Sent after the commit, so that a receiver sees what it hears of."""

from django.dispatch import Signal

tiles_built = Signal()
"""Arguments: tile_ids. The layers of these tiles are on disk and their rows say built."""

area_built = Signal()
"""Arguments: area_id. A build has gone through all its tiles. Receivers finish what a death between
commit and `tiles_built` may have left undone; they must be able to run twice."""
