"""Keyset pages: every row once, in order, forwards and backwards, at the same cost on every page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tiles.core.errors import BadInput
from tiles.core.paging import keyset_page
from tiles.models import Area

ORDERS = (["name", "id"], ["-name", "id"], ["-name", "-id"], ["id"])


class TestPages(TestCase):
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        names=st.lists(st.sampled_from("abc"), max_size=12),
        order=st.sampled_from(ORDERS),
        size=st.integers(1, 5),
    )
    def test_walking_there_and_back_meets_every_row_once(self, names: list[str], order: list[str], size: int) -> None:
        for number, name in enumerate(names):
            Area.objects.create(slug=f"a-{number}", name=name)
        rows = Area.objects.all()
        expected = list(rows.order_by(*order))
        there, pages, after = [], [], ""
        while True:
            page = keyset_page(rows, order=order, size=size, after=after)
            pages.append(page)
            there += page.rows
            after = page.after
            if not after:
                break
        assert there == expected
        assert pages[0].before == ""
        back, before = [pages[-1].rows], pages[-1].before
        while before:
            page = keyset_page(rows, order=order, size=size, before=before)
            back.insert(0, page.rows)
            before = page.before
        assert [row for rows_of_page in back for row in rows_of_page] == expected


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WzEsMl0", "W1sxXV0", "WyJhYmMiXQ", "\0", "é", "=" * 50])
def test_a_damaged_link_is_a_sentence(cursor: str) -> None:
    with pytest.raises(BadInput, match="damaged"):
        keyset_page(Area.objects.all(), order=["id"], size=5, after=cursor)


@pytest.mark.django_db
def test_a_page_is_one_query_that_counts_nothing(django_assert_num_queries: Any) -> None:
    for number in range(8):
        Area.objects.create(slug=f"a-{number}", name="a")
    with django_assert_num_queries(1) as asked:
        first = keyset_page(Area.objects.all(), order=["name", "id"], size=3)
    assert "COUNT" not in asked.captured_queries[0]["sql"].upper()
    with django_assert_num_queries(1):
        keyset_page(Area.objects.all(), order=["name", "id"], size=3, after=first.after)
