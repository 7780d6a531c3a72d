"""What a release says of its splits: how they compare, and what leaks between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .planning import Picked, Plan
from .splitting.blocks import SPLITS, Place
from .splitting.leakage import EXAMPLES, leakage

HEIGHT_BINS = 12
UNKNOWN_LANDFORM = "unknown"


def report_of(plan: Plan) -> dict[str, Any]:
    """As JSON; {} for a plan without splits.

    `splits`: split -> tiles, landforms, heights (tiles by the middle of their heights, in the bins whose edges are
    `height_edges`, metres). The rest is what leaks: `overlaps`, `gaps`, `duplicates` and `kin` count pairs of tiles of
    different splits. `no_ground` tiles have no footprint, and `no_texture` ones are compared by footprint alone.
    """
    if not plan.wanted.split.way or not plan.kept:
        return {}
    on_ground = [one for one in plan.kept if one.ring]
    leaks = leakage([Place(one.key, one.ring) for one in on_ground], [one.split for one in on_ground])
    crossing = [(a, b) for a, b in plan.twins if plan.kept[a].split != plan.kept[b].split]
    return {
        **_balance(plan.kept),
        "overlaps": leaks.overlaps,
        "overlapping": [list(pair) for pair in leaks.examples],
        "gaps": [asdict(gap) | {"splits": list(gap.splits), "tiles": list(gap.tiles)} for gap in leaks.gaps],
        "duplicates": len(crossing),
        "alike": [[plan.kept[a].key, plan.kept[b].key] for a, b in crossing[:EXAMPLES]],
        "kin": _kin_apart(plan.kept),
        "no_ground": len(plan.kept) - len(on_ground),
        "no_texture": plan.untextured,
    }


def leaks_in_words(report: Mapping[str, Any]) -> list[str]:
    """What leaks, a sentence each; nothing when nothing does."""
    found = []
    if report.get("overlaps"):
        found.append(f"Pairs of tiles of different splits that overlap on the ground: {report['overlaps']:,}.")
    if report.get("duplicates"):
        found.append(f"Pairs of near-duplicates in different splits: {report['duplicates']:,}.")
    if report.get("kin"):
        found.append(f"Places with variants or samples in different splits: {report['kin']:,}.")
    return found


def _balance(kept: Sequence[Picked]) -> dict[str, Any]:
    middles = np.array([(one.low + one.high) / 2 for one in kept])
    edges = np.histogram_bin_edges(middles, bins=HEIGHT_BINS)
    names = np.array([one.split for one in kept])
    splits = {}
    for name in SPLITS:
        chosen = np.flatnonzero(names == name).tolist()
        landforms = Counter(kept[number].landform or UNKNOWN_LANDFORM for number in chosen)
        splits[name] = {
            "tiles": len(chosen),
            "landforms": dict(sorted(landforms.items())),
            "heights": np.histogram(middles[chosen], bins=edges)[0].tolist(),
        }
    return {"splits": splits, "height_edges": [round(float(edge), 1) for edge in edges]}


def _kin_apart(kept: Sequence[Picked]) -> int:
    """Of how many places the variants or samples went different ways."""
    splits: dict[str, set[str]] = {}
    for one in kept:
        splits.setdefault(one.kin, set()).add(one.split)
    return sum(len(found) > 1 for found in splits.values())
