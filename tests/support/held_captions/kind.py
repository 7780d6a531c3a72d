"""The captioning job, with the points of `held_builds` before and after its chunks and its rows."""

from __future__ import annotations

from captions.writing.kind import CaptionKind
from tests.support.held_builds.holding import Held


class HeldCaptionKind(Held, CaptionKind):
    """A captioning that stops where it is told to."""
