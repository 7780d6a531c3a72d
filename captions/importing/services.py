"""Looking at a file of captions, and taking them in."""

from __future__ import annotations

from typing import Any

from tiles.core.permissions import BUILD_AREA, require
from tiles.jobs.services import job_start
from tiles.models import Area, Job

from ..instructions import guide_of
from ..writing.options import IMPORT, KIND, Captioning
from .matching import Survey, matches
from .records import record_path, records_of


def import_survey(*, area: Area, key: str) -> Survey:
    """How many records of a source match which tiles, without writing anything. Raises BadInput."""
    survey = Survey()
    for _match in matches(records_of(key), area=area, terms=guide_of(area).terms, survey=survey):
        pass
    return survey


def import_start(*, area: Area, key: str, make_captions: bool = True, by: Any = None, background: bool = True) -> Job:
    """Take in the captions of a source. by: nobody on the command line.

    They become captions wherever no person's text stands, or stay proposals. Raises NotAllowed, BadInput for a source
    that may not be read, Conflict when an import into the area is under way.
    """
    if by is not None:
        require(by, BUILD_AREA)
    source = record_path(key).name
    asked = Captioning(captioner=IMPORT, model=source[:100], make_captions=make_captions)
    return job_start(
        kind=KIND,
        title=f"Captions of {area.slug} from {source}"[:200],
        subject=f"{area.slug}:{IMPORT}",
        chunks=[{"do": "import"}],
        by=by,
        area=area,
        parameters={"captioning": asked.to_dict(), "source": key, "spent": {}},
        background=background,
    )
