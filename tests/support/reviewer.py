"""A person who reviews by real keys, and what the log must say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

from playwright.sync_api import Page, expect

from .review import settled, stage

ON = """(before) => new Promise((resolve, reject) => {
    const [stage, title] = ["#stage", "[data-part=finished-title]"].map((part) => document.querySelector(part));
    const over = () => stage.dataset.tile === "" && !title.textContent.includes("not here yet");
    const there = () => stage.dataset.tile !== before && (stage.dataset.ready === "true" || over());
    const look = () => {
        if (!there()) return;
        seen.disconnect();
        clearTimeout(late);
        resolve(stage.dataset.tile);
    };
    const seen = new MutationObserver(look);
    const dialog = () => document.querySelector("dialog[open]")?.id ?? "no dialog";
    const stuck = () => `still at tile_${before}, ${JSON.stringify(stage.dataset)}, ${dialog()}`;
    const late = setTimeout(() => reject(new Error(stuck())), 90_000);
    seen.observe(stage, { attributes: true });
    look();
})"""
"""Resolves with the number of the next tile once all its pixels stand there; "" past the last one."""

REASONS = {"c": "cloud", "s": "shadow", "e": "seam", "d": "dem_artefact", "m": "misaligned", "p": "duplicate"}
KEYS = {"approve": "1", "unsure": "3"}


class Entry(NamedTuple):
    """One entry of the log, as far as keys decide it."""

    tile: int
    verb: str
    reason: str = ""
    note: str = ""


class Reviewer:
    """`acts` is what was pressed, oldest first: the entries of each action by their numbers. `tile` is the number on
    the screen, "" past the last one."""

    def __init__(self, name: str, page: Page, *, seed: int = 0) -> None:
        self.name = name
        self.page = page
        self.acts: list[list[Entry]] = []
        self.tile = ""
        self._random = Random(f"{seed}/{name}")
        self._undoable: list[int] = []

    @property
    def decisions(self) -> int:
        """How many entries but undos."""
        return sum(entry.verb != "undo" for act in self.acts for entry in act)

    # --- The review page ---

    def begin(self, address: str = "") -> None:
        """Load the page, or take it as it is, and wait for its first tile or the end of the queue."""
        if address:
            self.page.goto(address)
        expect(self.page.locator("#review")).to_have_attribute("data-started", "true")
        self._undoable = []
        self.tile = self.page.evaluate(ON, None)

    def decide(self, verb: str, reason: str = "", note: str = "") -> None:
        """Press a verdict; `arrive` waits for what it brings."""
        keyboard = self.page.keyboard
        if verb == "reject":
            keyboard.press("2")
            keyboard.press("o" if note else next(key for key, code in REASONS.items() if code == reason))
            if note:
                expect(self.page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
                keyboard.type(note)
                keyboard.press("Enter")
        else:
            keyboard.press(KEYS[verb])
        self.acts.append([Entry(int(self.tile), verb, reason, note)])
        self._undoable.append(int(self.tile))

    def arrive(self) -> None:
        self.tile = self.page.evaluate(ON, self.tile)

    def judge(self) -> None:
        """Any verdict, as a reviewer's day has them."""
        chance = self._random.random()
        if chance < 0.72:
            self.decide("approve")
        elif chance < 0.80:
            self.decide("unsure")
        elif chance < 0.99:
            self.decide("reject", self._random.choice(list(REASONS.values())))
        else:
            self.decide("reject", "other", f"odd {self.tile}")

    def undo(self, times: int = 1) -> None:
        """Take back the last decisions made on this page, one after the other."""
        for _ in range(min(times, len(self._undoable))):
            index = self._undoable.pop()
            self.page.keyboard.press("u")
            self.acts.append([Entry(index, "undo")])
            self.arrive()
            assert self.tile == str(index)

    def jump(self, index: int) -> None:
        self.page.keyboard.press("g")
        number = self.page.get_by_role("dialog").get_by_role("spinbutton")
        expect(number).to_be_focused()
        self.page.keyboard.type(str(index))
        self.page.keyboard.press("Enter")
        self.arrive()
        assert self.tile == str(index)

    def ready_ahead(self, count: int = 10) -> None:
        expect(stage(self.page)).to_have_attribute("data-ahead", str(count))

    def settle(self) -> None:
        settled(self.page)

    # --- The gallery ---

    def gallery(self, address: str) -> None:
        if "/review/" in self.page.url:
            self.settle()
        self.page.goto(address)
        expect(self.page.locator("#gallery")).to_have_attribute("data-started", "true")

    def bulk(self, verb: str, numbers: Iterable[int], keys: Sequence[str], *, reason: str = "") -> None:
        """Press keys that do something with tiles of the gallery, and wait until it is done."""
        for key in keys:
            self.page.keyboard.press(key)
        self.did(verb, numbers, reason=reason)

    def did(self, verb: str, numbers: Iterable[int], *, reason: str = "") -> None:
        act = [Entry(index, verb, reason) for index in sorted(numbers)]
        words = {"approve": "approved", "reject": "rejected", "undo": "undone"}[verb]
        expect(self.says).to_have_text(f"{len(act)} tiles {words}.")
        expect(self.page.locator("#gallery")).to_have_attribute("data-started", "true")
        self.acts.append(act)

    @property
    def says(self) -> Any:
        return self.page.locator("[data-part=says]")


def together(people: Sequence[Reviewer], steps: int) -> None:
    """So many verdicts of each, pressed side by side."""
    for _ in range(steps):
        for person in people:
            person.judge()
        for person in people:
            person.arrive()


def stands(people: Iterable[Reviewer]) -> dict[int, tuple[str, str, str]]:
    """number -> state, reason and whose it is, by what was pressed alone: all of the first person, then of the next."""
    after = {"approve": "approved", "reject": "rejected", "unsure": "unsure"}
    stacks: dict[int, list[tuple[str, str, str]]] = {}
    for person in people:
        for entry in (entry for act in person.acts for entry in act):
            stack = stacks.setdefault(entry.tile, [])
            if entry.verb == "undo":
                stack.pop()
            else:
                stack.append((after[entry.verb], entry.reason, person.name))
    return {index: stack[-1] for index, stack in stacks.items() if stack}
