"""Names of permissions. Which role holds which is `portal.accounts.roles`' business."""

from __future__ import annotations

from typing import Any

from .errors import NotAllowed

VIEW_DATA = "tiles.view_tilepair"
"""See areas, tiles, captions, jobs and statistics."""
REVIEW_TILES = "tiles.review_tilepair"
BUILD_AREA = "tiles.build_area"
"""Start builds, edit what an area says of itself, and steer its jobs."""
RECTIFY_CAPTIONS = "captions.rectify_caption"
VIEW_RELEASES = "exports.view_release"
"""See and download releases."""
MAKE_RELEASES = "exports.make_release"

ALL = (VIEW_DATA, REVIEW_TILES, BUILD_AREA, RECTIFY_CAPTIONS, VIEW_RELEASES, MAKE_RELEASES)


def require(user: Any, permission: str) -> None:
    """Raise NotAllowed unless `user` holds `permission`."""
    if not user.has_perm(permission):
        raise NotAllowed("You are not allowed to do this. Ask an administrator for the role that may.")
