"""One job at a time works on an area's tiles."""

from __future__ import annotations

from tiles.core.errors import Conflict
from tiles.jobs.selectors import job_open

BUILD, DROP, RESTRETCH = "build", "drop_rgb", "restretch"
UNDER_WAY = {
    BUILD: "This area is being built now.",
    DROP: "The unstretched imagery of this area is being dropped now.",
    RESTRETCH: "The pictures of this area are being stretched anew now.",
}


def require_idle(slug: str, *, but: str = "") -> None:
    """Raise Conflict while a job, of another kind than `but`, works on the tiles of an area.

    To be certain, ask inside the transaction that starts a job, with the area's row locked.
    """
    for kind, under_way in UNDER_WAY.items():
        if kind != but and job_open(kind=kind, subject=slug):
            raise Conflict(f"{under_way} Wait until that is done, or cancel it.")
