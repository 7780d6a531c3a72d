"""Which way water runs on a lattice of heights, and how much of it passes each node.

Every node drains to one of its 8 neighbours, its receiver; an outlet is its own receiver. Trees are walked by pointer
jumping, so that a million nodes take about a dozen array operations instead of a million steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from portal.demo.scene_noise import Array

Nodes = NDArray[np.intp]
_NEIGHBOURS = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def receivers(height: Array, outlets: NDArray[np.bool_], wobble: Array) -> Nodes:
    """The flat index, (h * w), of the node that each node drains to. No node but the outlets keeps its water.

    height: (h, w) metres. outlets: (h, w). wobble: (8, h, w), about 1, favours some directions here and there: without
    it rivers on a lattice run in eight directions.
    """
    h, w = height.shape
    padded = np.pad(height, 1, constant_values=np.float32(np.inf))
    best = np.zeros((h, w), np.float32)
    offset = np.zeros((h, w), np.intp)
    for way, (dy, dx) in enumerate(_NEIGHBOURS):
        fall = height - padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
        fall *= wobble[way] * np.float32(1 / np.hypot(dy, dx))
        better = fall > best
        np.copyto(best, fall, where=better)
        offset[better] = dy * w + dx
    offset[outlets] = 0
    receiver = np.arange(h * w) + offset.ravel()
    pits = np.flatnonzero((offset.ravel() == 0) & ~outlets.ravel())
    if pits.size:
        _drain_pits(height, receiver, pits)
    return receiver


def lengths(receiver: Nodes, width: int) -> Array:
    """Distance of each node, in nodes, to its receiver: 1 straight, 1.41 across a corner, 0 at an outlet."""
    step = np.abs(receiver - np.arange(receiver.size))
    across = (step == width - 1) | (step == width + 1)
    return np.where(step == 0, 0.0, np.where(across, np.sqrt(2.0), 1.0)).astype(np.float32)


def jumps(receiver: Nodes) -> list[tuple[Nodes, Nodes]]:
    """For k = 0, 1, 2 ...: the nodes that have a 2**k-th node downstream, and that node.

    Adding the target's value to the node's in this order sums a value along each path down; adding the node's to
    the target's sums it over everything upstream.
    """
    nodes = np.flatnonzero(receiver != np.arange(receiver.size))
    jump = np.full(receiver.size + 1, receiver.size, np.intp)
    jump[nodes] = receiver[nodes]
    steps = []
    while nodes.size:
        target = jump[nodes]
        steps.append((nodes, target))
        further = jump[target]
        jump[nodes] = further
        nodes = nodes[further < receiver.size]
    return steps


def roots(receiver: Nodes) -> Nodes:
    """The outlet or pit that each node's water ends in."""
    root = receiver
    while True:
        further = root[root]
        if np.array_equal(further, root):
            return root
        root = further


def _drain_pits(height: Array, receiver: Nodes, pits: Nodes) -> None:
    """Lead every pit's water over the lowest pass into the next basin, changing receiver in place.

    Basins join over their lowest passes as in Boruvka's minimum spanning tree; the way from a pass down to its pit is
    turned round. Source of the idea: Cordonnier, Bovy and Braun 2019, doi 10.5194/esurf-7-549-2019.
    """
    number = np.zeros(height.size, np.intp)
    number[pits] = np.arange(1, pits.size + 1)
    basin = number[roots(receiver)]
    inner, outer = _passes(height, basin)
    group = np.arange(pits.size + 1)
    pit_of = np.concatenate([[-1], pits])
    while True:
        one, other = group[basin[inner]], group[basin[outer]]
        apart = one != other
        inner, outer, one, other = inner[apart], outer[apart], one[apart], other[apart]
        if not inner.size:
            return
        lowest = np.full(group.size, inner.size, np.intp)
        for rank in (one, other):
            first = np.full(group.size, inner.size, np.intp)
            first[rank[::-1]] = np.arange(inner.size)[::-1]
            np.minimum(lowest, first, out=lowest)
        moving = np.flatnonzero((group == np.arange(group.size)) & (lowest < inner.size))
        moving = moving[moving > 0]
        edge = lowest[moving]
        forward = one[edge] == moving
        target = np.where(forward, other[edge], one[edge])
        # Two groups that chose the same pass would drain into each other: the lower number stays for this round.
        mutual = (target > 0) & (lowest[target] == edge) & (moving < target)
        moving, edge, forward, target = moving[~mutual], edge[~mutual], forward[~mutual], target[~mutual]
        here = np.where(forward, inner[edge], outer[edge])
        there = np.where(forward, outer[edge], inner[edge])
        _turn_round(receiver, here, there, pit_of[moving])
        link = np.arange(group.size)
        link[moving] = target
        group = roots(link)[group]


def _passes(height: Array, basin: Nodes) -> tuple[Nodes, Nodes]:
    """Pairs of neighbouring nodes in different basins, the lowest pass first."""
    h, w = height.shape
    index = np.arange(h * w).reshape(h, w)
    label = basin.reshape(h, w)
    pairs = []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        a = (slice(0, h - dy), slice(max(0, -dx), w - max(0, dx)))
        b = (slice(dy, h), slice(max(0, dx), w + min(0, dx)))
        differ = label[a] != label[b]
        pairs.append((index[a][differ], index[b][differ]))
    inner, outer = (np.concatenate(side) for side in zip(*pairs, strict=True))
    flat = height.ravel()
    order = np.argsort(np.maximum(flat[inner], flat[outer]), kind="stable")
    return inner[order], outer[order]


def _turn_round(receiver: Nodes, here: Nodes, there: Nodes, pit: Nodes) -> None:
    """Make each path from `here` down to `pit` run the other way, and on from `here` to `there`; in place."""
    while here.size:
        further = receiver[here]
        receiver[here] = there
        going = here != pit
        here, there, pit = further[going], here[going], pit[going]
