"""Lists of tiles by split: a few bytes a tile are kept until they are written."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from .base import SPLITS, FrozenTile, Package


class SplitLists:
    """Gathers the tiles' numbers by folder and split, and writes `<folder>/<split>.txt`.

    line: how a number is written. A folder none of whose tiles has a split gets no list, unless `always`: then all
    of its tiles are in train.txt.
    """

    def __init__(self, line: Callable[[str, int], str], *, always: bool = False) -> None:
        self._line = line
        self._always = always
        self._numbers: dict[str, dict[str, array[int]]] = {}

    def add(self, tile: FrozenTile, folder: str) -> None:
        split = tile.part if self._always else tile.split
        if split:
            lists = self._numbers.setdefault(folder, {split: array("L") for split in SPLITS})
            lists[split].append(tile.index)

    def write(self, package: Package) -> None:
        """Put in the lists, three a folder, empty ones too, since readers open all three."""
        for folder, lists in self._numbers.items():
            for split, numbers in lists.items():
                text = "".join(f"{self._line(split, number)}\n" for number in numbers)
                package.file(f"{folder}/{split}.txt", text.encode())
