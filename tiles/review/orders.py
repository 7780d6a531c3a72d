"""In which orders tiles are listed. Each has an index, and each a keyset: the measure, then the number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from tiles.models import TilePair

Tiles = QuerySet[TilePair]


@dataclass(frozen=True)
class Order:
    """By a column of the tiles; `down`: greatest first. Where it is `nullable`, tiles without a value come last.

    rising: the index has the least value first, and beside it the numbers, so tiles of one value rise with it.
    """

    column: str
    down: bool = True
    nullable: bool = True
    rising: bool = False

    @property
    def by_number(self) -> bool:
        return self.column == "index"

    def runs_after(self, tiles: Tiles, bound: int, value: object, *, inclusive: bool = False) -> list[Tiles]:
        """What comes after the tile of number `bound` and this value, as runs to be read one after the other.

        Each is one range of the index: tiles of the same value may be many.
        """
        equal = "e" if inclusive else ""
        if value is None:
            return [self._missing(tiles).filter(**{f"index__gt{equal}": bound})]
        same = tiles.filter(**{self.column: value, f"index__{'gt' if self._forth else 'lt'}{equal}": bound})
        beyond = tiles.filter(**{f"{self.column}__{'lt' if self.down else 'gt'}": value})
        return [same.order_by(self._number), beyond.order_by(self._value, self._number), *self._last(tiles)]

    def runs_before(self, tiles: Tiles, bound: int, value: object) -> list[Tiles]:
        """What comes before that tile, the nearest first."""
        value_back, number_back = _flip(self._value), _flip(self._number)
        if value is None:
            missing = self._missing(tiles).filter(index__lt=bound).order_by("-index")
            return [missing, self._valued(tiles).order_by(value_back, number_back)]
        same = tiles.filter(**{self.column: value, f"index__{'lt' if self._forth else 'gt'}": bound})
        nearer = tiles.filter(**{f"{self.column}__{'gt' if self.down else 'lt'}": value})
        return [same.order_by(number_back), nearer.order_by(value_back, number_back)]

    def runs(self, tiles: Tiles) -> list[Tiles]:
        """All, from the first on."""
        return [self._valued(tiles).order_by(self._value, self._number), *self._last(tiles)]

    @property
    def _value(self) -> str:
        return f"-{self.column}" if self.down else self.column

    @property
    def _number(self) -> str:
        """The other way round is the index read backwards, so equal tiles are turned round too."""
        return "index" if self._forth else "-index"

    @property
    def _forth(self) -> bool:
        return self.down != self.rising

    def _valued(self, tiles: Tiles) -> Tiles:
        return tiles.filter(**{f"{self.column}__isnull": False}) if self.nullable else tiles

    def _missing(self, tiles: Tiles) -> Tiles:
        return tiles.filter(**{f"{self.column}__isnull": True}).order_by("index")

    def _last(self, tiles: Tiles) -> list[Tiles]:
        return [self._missing(tiles)] if self.nullable else []


BY_NUMBER = Order("index", down=False, nullable=False)
LABELLED = {
    "score": (Order("score", nullable=False), "Most doubtful first", "Least doubtful first"),
    "height": (Order("dem_max"), "Highest ground first", "Lowest ground first"),
    "relief": (Order("relief"), "Greatest relief first", "Least relief first"),
    "slope": (Order("slope"), "Steepest first", "Gentlest first"),
    "cloud": (Order("cloud_share"), "Most cloud first", "Least cloud first"),
    "shift": (Order("shift_px"), "Greatest shift first", "Least shift first"),
    "built": (Order("built_at"), "Last built first", "First built first"),
    "decided": (Order("decided_at"), "Last decided first", "First decided first"),
    "space": (Order("space", down=False, rising=True), "Neighbours in space", "Neighbours in space, from the end"),
    "twins": (
        Order("twins", down=False, rising=True),
        "Near-duplicates together",
        "Near-duplicates together, last first",
    ),
}
RANDOM = "random"
RANDOM_LABEL = "Random, by the seed"


def _all() -> Iterator[tuple[str, Order, str]]:
    """(name, order, label); a name with `-` is the other way round."""
    yield "-number", Order("index", down=True, nullable=False), "By number, last first"
    for name, (order, down, up) in LABELLED.items():
        yield name, order, down
        yield f"-{name}", replace(order, down=not order.down), up


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


ORDERS = {name: order for name, order, _label in _all()}
ORDER_CHOICES = [*((name, label) for name, _order, label in _all()), (RANDOM, RANDOM_LABEL)]
