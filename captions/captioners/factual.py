"""A captioner that needs the facts only, as jobs use one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from .base import Answered, Captioner, CaptionTask, Spent, Wants


class Factual:
    """Lets a `Captioner` write for many tiles."""

    model = ""
    wants = Wants(at_once=200)

    def __init__(self, captioner: Captioner) -> None:
        self.name = captioner.name
        self._captioner = captioner

    def answers(self, tasks: Iterator[CaptionTask], beat: Callable[[], None]) -> Generator[Answered]:
        for task in tasks:
            beat()
            yield Answered(task, self._captioner.caption(task.facts))

    def cost(self, _spent: Spent) -> float:
        return 0.0
