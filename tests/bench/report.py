"""How benches say what they measured: two things in one run, and their ratio."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

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


def cpu_of(work: Callable[[], object]) -> float:
    """CPU time of one call of `work`, user and system, of this process and of the children it waited for; seconds."""
    before = _cpu_so_far()
    work()
    return _cpu_so_far() - before


def _cpu_so_far() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def machine() -> str:
    """The processor that a figure belongs to."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    name = names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def show(title: str, rows: list[tuple[str, str]]) -> None:
    """Print one bench's rows: what, and how much."""
    table = Table(title=title, title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
