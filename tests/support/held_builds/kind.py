"""The build job, with points before and after its chunks, its rows and its files."""

from __future__ import annotations

from tiles.build.kind import BuildKind

from .holding import Held


class HeldBuildKind(Held, BuildKind):
    """A build that stops where it is told to."""
