"""Any vision-language model behind an OpenAI-compatible `/chat/completions`: GLM-4V, vLLM, Ollama, llama.cpp, hosted.

Several requests are on their way at once, as many as the endpoint's limit allows all workers together. Whoever calls
`answers` stays in one thread, beats there and talks to the database; the threads below only send and wait.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings

from tiles.jobs.limiter import DatabaseLimiter
from tiles.jobs.minutes import MinuteQuota

from .base import Answered, CaptionAnswer, CaptionerClosed, CaptionTask, Spent, Unanswered, Wants
from .endpoints import Endpoint
from .openai_answer import CHARACTERS_A_TOKEN, Unreadable, answer_read, prompt_text, question, storable, tokens_estimate
from .openai_http import Completion, Declined, Later, Wire
from .patience import PATIENT, Patience

ENOUGH_LOST = 3
"""From so many tiles on that an endpoint fails without answering any, the endpoint is at fault and not the tiles."""
LOOK_SECONDS = 0.1
MILLION = 1_000_000
_MANY = 10_000

_schemaless: set[tuple[str, str]] = set()
"""Endpoints and models that declined to be held to a schema, as this process has found out."""


class OpenAICaptioner:
    """Asks one configured endpoint. patience: how long it is waited for."""

    def __init__(self, endpoint: Endpoint, *, patience: Patience | None = None) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.model = endpoint.model
        self.most = max(1, math.ceil(endpoint.concurrent / max(1, settings.DEMETER_WORKERS)))
        self.wants = Wants(size=endpoint.picture, depth=endpoint.depth, at_once=max(8, 4 * self.most))
        self.patience = patience or PATIENT

    def answers(self, tasks: Iterator[CaptionTask], beat: Callable[[], None]) -> Generator[Answered]:
        round_ = _Round(self, tasks, beat)
        try:
            yield from round_.run()
        finally:
            round_.close()

    def cost(self, spent: Spent) -> float:
        asked, answered = self.endpoint.prices
        return (spent.asked * asked + spent.answered * answered) / MILLION


@dataclass
class _Turn:
    """One tile's way to an answer."""

    task: CaptionTask
    tries: int = 0
    due: float = 0.0
    again: bool = False
    entry: int = 0
    schema: bool = False
    begun: float = 0.0
    estimated: bool = False
    spent: Spent = field(default_factory=Spent)


class _Round:
    """The tasks of one call, and the requests that are on their way for them."""

    def __init__(self, captioner: OpenAICaptioner, tasks: Iterator[CaptionTask], beat: Callable[[], None]) -> None:
        endpoint = captioner.endpoint
        self._endpoint, self._patience, self._most = endpoint, captioner.patience, captioner.most
        self._tasks: Iterator[CaptionTask] | None = tasks
        self._beat = beat
        self._limiter = _limiter(endpoint, captioner.most)
        self._minutes = MinuteQuota(_service(endpoint), requests=endpoint.requests, tokens=endpoint.tokens)
        self._wire = Wire(
            name=endpoint.name, key=endpoint.key, seconds=endpoint.seconds, connections=captioner.most + 1
        )
        self._pool = ThreadPoolExecutor(captioner.most, thread_name_prefix="caption")
        self._turns: list[_Turn] = []
        self._flying: dict[Future[Completion], _Turn] = {}
        self._lost: list[Answered] = []
        self._hold_until = 0.0
        self._busy_since: float | None = None
        self._answered = self._sent = 0

    def close(self) -> None:
        """Leave what is on its way to itself, and give the slots back."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._limiter.rest()
        self._wire.close()

    def run(self) -> Iterator[Answered]:
        while self._take() or self._flying:
            self._beat()
            self._launch()
            for turn, landed in self._landed():
                outcome = self._settle(turn, landed)
                if outcome is not None:
                    yield outcome
        if self._lost and not self._answered and len(self._lost) >= ENOUGH_LOST:
            raise CaptionerClosed(f"{_message(self._lost[-1])} It answered none of {len(self._lost)} tiles.")
        yield from self._lost

    def _take(self) -> bool:
        """Have as many tiles in hand as can be asked at once. Whether there are any that wait."""
        while self._tasks is not None and len(self._turns) + len(self._flying) < self._most:
            task = next(self._tasks, None)
            if task is None:
                self._tasks = None
            else:
                self._turns.append(_Turn(task))
        return bool(self._turns)

    def _launch(self) -> None:
        now = time.monotonic()
        due = [turn for turn in self._turns if turn.due <= now] if now >= self._hold_until else []
        if due:
            self._limiter.refill(len(due))
        for turn in due:
            if not self._limiter.begin():
                return
            entry = self._minutes.enter(tokens_estimate(turn.task, longest=self._endpoint.longest))
            if entry is None:
                self._limiter.end()
                return
            self._turns.remove(turn)
            self._send(turn, entry)

    def _send(self, turn: _Turn, entry: int) -> None:
        turn.entry, turn.begun = entry, time.monotonic()
        turn.schema = (self._endpoint.name, self._endpoint.model) not in _schemaless
        url = self._endpoint.urls[self._sent % len(self._endpoint.urls)]
        self._sent += 1
        future = self._pool.submit(self._ask, url, turn)
        future.add_done_callback(lambda _done: self._limiter.end())
        self._flying[future] = turn

    def _ask(self, url: str, turn: _Turn) -> Completion:
        """In a thread: touches neither the database nor the round."""
        endpoint = self._endpoint
        asked = question(
            turn.task, model=endpoint.model, longest=endpoint.longest, schema=turn.schema, again=turn.again
        )
        return self._wire.complete(url, asked)

    def _landed(self) -> list[tuple[_Turn, Future[Completion]]]:
        if not self._flying:
            time.sleep(LOOK_SECONDS)
            return []
        done, _flying = wait(self._flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        return [(self._flying.pop(future), future) for future in done]

    def _settle(self, turn: _Turn, landed: Future[Completion]) -> Answered | None:
        """What became of a request; None when the tile is asked again. Raises CaptionerClosed."""
        turn.spent += Spent(seconds=time.monotonic() - turn.begun)
        try:
            completion = landed.result()
        except Later as later:
            return self._put_off(turn, later)
        except Declined as declined:
            return self._declined(turn, declined)
        self._busy_since = None
        took = self._took(turn, completion)
        turn.spent += took
        self._minutes.settle(turn.entry, took.tokens)
        return self._read(turn, completion)

    def _took(self, turn: _Turn, completion: Completion) -> Spent:
        """Tokens of one request, estimated where the server does not say: a budget must hold there too."""
        if completion.asked or completion.answered:
            return Spent(completion.asked, completion.answered)
        turn.estimated = True
        return Spent(tokens_estimate(turn.task, longest=0), len(completion.text) // CHARACTERS_A_TOKEN + 1)

    def _read(self, turn: _Turn, completion: Completion) -> Answered | None:
        self._answered += 1
        if completion.refusal or completion.finish == "content_filter":
            return self._gave_up(turn, "refused", "The model will not describe this picture.")
        try:
            answer = answer_read(completion.text, terms=turn.task.guide.terms)
        except Unreadable as error:
            if not turn.again and error.code != "refused":
                turn.again = True
                self._turns.append(turn)
                return None
            return self._gave_up(turn, error.code, error.message)
        return Answered(turn.task, replace(answer, provenance=self._provenance(turn, completion)), turn.spent)

    def _put_off(self, turn: _Turn, later: Later) -> Answered | None:
        now = time.monotonic()
        if later.busy:
            self._busy_since = self._busy_since or now
            if now - self._busy_since > self._patience.busy:
                raise CaptionerClosed(f"{later.message} It has done so for {self._patience.busy:.0f} s.")
            self._hold_until = max(self._hold_until, now + later.after)
        else:
            turn.tries += 1
        if turn.tries >= self._patience.tries:
            if later.away:
                raise CaptionerClosed(later.message)
            self._lost.append(Answered(turn.task, Unanswered(later.code, later.message), turn.spent))
            return None
        turn.due = now + self._patience.pause(turn.tries, later.after)
        self._turns.append(turn)
        return None

    def _declined(self, turn: _Turn, declined: Declined) -> Answered | None:
        if declined.status in (400, 422) and turn.schema:
            # Many servers do not know response_format. They are asked without, and the answer is mended.
            _schemaless.add((self._endpoint.name, self._endpoint.model))
            self._turns.append(turn)
            return None
        self._answered += declined.status == 0
        return self._gave_up(turn, declined.code, declined.message)

    def _gave_up(self, turn: _Turn, code: str, message: str) -> Answered:
        return Answered(turn.task, Unanswered(code, message), turn.spent)

    def _provenance(self, turn: _Turn, completion: Completion) -> dict[str, Any]:
        return {
            "backend": "openai",
            "host": self._endpoint.hosts,
            "model": self._endpoint.model,
            "answered_as": completion.model,
            "instruction": turn.task.guide.number,
            "prompt": prompt_text(turn.task),
            "raw": storable(completion.text),
            "tokens": {"asked": turn.spent.asked, "answered": turn.spent.answered},
            "tokens_estimated": turn.estimated,
            "seconds": round(turn.spent.seconds, 3),
            "picture": {"size": self._endpoint.picture, "depth": bool(turn.task.depth)},
            "schema": turn.schema,
            "asked_again": turn.again,
        }


def _message(lost: Answered) -> str:
    return "" if isinstance(lost.outcome, CaptionAnswer) else lost.outcome.message


def _service(endpoint: Endpoint) -> str:
    return f"caption:{endpoint.name}"


_limiters: dict[tuple[int, str, int, float], DatabaseLimiter] = {}


def _limiter(endpoint: Endpoint, most: int) -> DatabaseLimiter:
    """The limiter of an endpoint in this process. No worker takes more than its part of what goes at once."""
    key = os.getpid(), _service(endpoint), endpoint.concurrent, endpoint.seconds
    if key not in _limiters:
        _limiters[key] = DatabaseLimiter(
            _service(endpoint),
            slots=endpoint.concurrent,
            per_second=_MANY,
            # Connecting, waiting for the first byte and reading the last one each may take `seconds`.
            request_seconds=3 * endpoint.seconds,
            spare_seconds=max(2.0, endpoint.seconds / 2),
            most=most,
        )
    return _limiters[key]
