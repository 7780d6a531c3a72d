"""Work that a page sends for one person is not recorded as another's who signed in on the same browser since."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.factories import make_area, make_tile
from tiles.models import ReviewDecision, TileComment, TileMark

pytestmark = pytest.mark.django_db
AREA = "/api/v1/areas/testland"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/decisions/", {"client_id": str(uuid4()), "index": 0, "verb": "approve", "seen": {}, "seen_version": 0}),
        ("/bulk/", {"action": str(uuid4()), "verb": "approve", "tiles": [{"index": 0, "version": 0}]}),
        ("/marks/", {"action": str(uuid4()), "kind": "tag", "value": "coast", "tiles": [{"index": 0, "version": 0}]}),
        ("/tiles/0/comments/", {"client_id": str(uuid4()), "text": "Snow."}),
    ],
)
def test_it_is_refused_and_nothing_is_written(
    data_folder: Path, signed_in: Any, person: Any, path: str, body: dict[str, Any]
) -> None:
    make_tile(make_area("testland"), 0, files=False)
    ann, bob = person("reviewer", "ann"), signed_in("reviewer", "bob")

    answer = bob.post(f"{AREA}{path}", body, "application/json", headers={"X-Demeter-Person": str(ann.pk)})

    assert (answer.status_code, answer.json()["code"]) == (401, "other_person")
    assert not ReviewDecision.objects.exists()
    assert not TileMark.objects.exists()
    assert not TileComment.objects.exists()


def test_reading_is_nobody_elses(data_folder: Path, signed_in: Any, person: Any) -> None:
    make_area("testland")
    ann, bob = person("reviewer", "ann"), signed_in("reviewer", "bob")
    assert bob.get(f"{AREA}/tiles/", headers={"X-Demeter-Person": str(ann.pk)}).status_code == 200
