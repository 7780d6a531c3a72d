"""Shares with intervals, agreement by class, kappa, the gain of an order: against worked examples."""

from __future__ import annotations

import pytest

from tiles.core.statistics import Agreement, Share, agreement_of, gain, kappa


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 100, 0.0018, 0.0545), (0, 0, 0, 1)],
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    """Values as published in tables of the interval."""
    share = Share(part, whole)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-4)


def test_agreement_by_class_and_why_kappa_misleads() -> None:
    """97 of 100 pairs approve together and no pair rejects together: 97 % agree, kappa is below nothing."""
    pairs = [("approve", "approve")] * 97 + [("approve", "reject"), ("reject", "approve"), ("approve", "reject")]
    assert agreement_of(pairs) == {"approve": Agreement(97, 3), "reject": Agreement(0, 3)}
    assert agreement_of(pairs)["approve"].value == pytest.approx(194 / 197)
    assert agreement_of(pairs)["reject"].value == 0
    assert kappa(pairs) == pytest.approx((0.97 - 0.97045) / (1 - 0.97045), abs=1e-3)
    assert kappa([("a", "a"), ("b", "b")]) == 1
    assert kappa([("a", "a")]) is None
    assert kappa([]) is None
    assert Agreement(0, 0).value is None


def test_gain_counts_equal_scores_in_proportion() -> None:
    scored = [(0.9, True), (0.5, True), (0.5, False), (0.5, False), (0.5, False), *[(0.0, False)] * 4, (0.0, True)]
    assert gain(scored, 0.1) == 1
    assert gain(scored, 0.3) == pytest.approx(1.5)
    assert gain(scored, 1) == pytest.approx(3)
    assert gain([], 0.5) == 0
