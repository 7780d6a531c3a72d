"""How benches say what they measured: two things in one run, and their ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time of one call of `work` in this process, in seconds, after one call that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def show(title: str, rows: list[tuple[str, str]]) -> None:
    """Print one bench's rows: what, and how much."""
    table = Table(title=title, title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
