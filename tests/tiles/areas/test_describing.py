"""What an area says of itself, changed on its page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.factories import make_area
from tiles.areas.services import area_describe
from tiles.core.errors import BadInput, NotAllowed
from tiles.models import Area

pytestmark = pytest.mark.django_db

ANSWERS = {
    "name": "Testland",
    "licence": "ODbL-1.0",
    "vertical_datum": "EGM96",
    "surface": "dsm",
    "reasons": ["cloud", "other"],
    "dem_gsd": "30",
}


@pytest.fixture
def area() -> Area:
    return make_area()


def test_a_curator_changes_it(area: Area, signed_in: Callable[[str], Client]) -> None:
    answer = signed_in("curator").post("/areas/testland/settings/", ANSWERS)
    assert answer.status_code == 302
    area.refresh_from_db()
    assert (area.licence, area.surface, area.dem_gsd, area.reasons) == ("ODbL-1.0", "dsm", 30, ["cloud", "other"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"dem_from": "2021-02-30"}, "valid date"),
        ({"dem_from": "2021-02-03", "dem_to": "2020-02-03"}, "cannot end before"),
        ({"imagery_from": "2021-02-03", "imagery_to": "2020-02-03"}, "cannot end before"),
        ({"dem_gsd": "-30"}, "above 0"),
        ({"imagery_gsd": "0"}, "above 0"),
        ({"imagery_gsd": "nan"}, "Enter a number"),
        ({"name": "Test\u202eland"}, "The name holds an invisible character (U+202E)"),
        ({"licence": "CC0\x07"}, "invisible character"),
        ({"description": "Hills\u2066."}, "The description holds an invisible character (U+2066)"),
        ({"description": "x" * 10_001}, "below 10,000 characters"),
        ({"reasons": []}, "This field is required"),
        ({"reasons": ["ugly"]}, "valid choice"),
    ],
)
def test_nonsense_is_refused_beside_its_question(
    area: Area, signed_in: Callable[[str], Client], change: dict[str, object], says: str
) -> None:
    answer = signed_in("curator").post("/areas/testland/settings/", {**ANSWERS, **change})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert says in page[page.index("errorlist") :]
    area.refresh_from_db()
    assert area.licence == "CC0"


def test_the_service_holds_the_same_rules(area: Area, person: Callable[[str], object]) -> None:
    with pytest.raises(BadInput, match="above 0"):
        area_describe(area_id=area.pk, changes={"dem_gsd": -1.0}, by=person("curator"))
    with pytest.raises(BadInput, match="cannot be changed"):
        area_describe(area_id=area.pk, changes={"tile_size": 64}, by=person("curator"))
    with pytest.raises(NotAllowed):
        area_describe(area_id=area.pk, changes={"name": "Mine"}, by=person("reviewer"))
