"""The atlas coloured by the splits of releases, as its page and the codes are sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from portal.exports.models import Release
from portal.exports.wanted import Split, Wanted

pytestmark = pytest.mark.django_db

LISTS = Wanted(split=Split(way="files", lists={"train": "coast/0", "val": "coast/2", "test": "coast/1"}))


def offered(client: Client, slug: str) -> list[dict[str, Any]]:
    page = client.get(f"/areas/{slug}/atlas/").content.decode()
    found = re.search(r'<script id="atlas-page" type="application/json">(.*?)</script>', page)
    assert found
    return list(json.loads(found[1])["colourings"])


def codes(content: bytes) -> dict[int, int]:
    [count] = np.frombuffer(content, "<u4", 1)
    numbers = np.frombuffer(content, "<u4", count, 4)
    return dict(zip(numbers.tolist(), np.frombuffer(content, "u1", count, 4 + 4 * count).tolist(), strict=True))


def test_ready_releases_with_splits_the_newest_first(
    coast: Any, released: Callable[..., Release], signed_in: Callable[[str], Client]
) -> None:
    released("plain", "coast")
    released("one", "coast", wanted=LISTS)
    two = released("two", "coast", wanted=LISTS)
    failed = released("three", "coast", wanted=LISTS)
    Release.objects.filter(pk=failed.pk).update(state="failed")
    client = signed_in("viewer")
    [first, second] = offered(client, "coast")
    assert [first["label"], second["label"]] == ["split of two", "split of one"]
    assert first["value"] == f"split-{two.pk}"
    meanings = [label for label, _colour in first["legend"]]
    assert meanings[:4] == ["not in the release", "training", "validation", "test"]
    answer = client.get(first["url"])
    assert {index: meanings[code] for index, code in codes(answer.content).items()} == {
        0: "training",
        1: "test",
        2: "validation",
    }
    for path in (f"split/{failed.pk}", f"split/{two.pk + 99}", f"landcover/{two.pk}"):
        assert client.get(f"/areas/coast/atlas/colours/{path}").status_code == 404
