"""What can be done to many captions at once: words replaced, a term added or taken away. Pure: nothing is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

from tiles.core.errors import BadInput
from tiles.core.words import hidden_character

from .components import terms_clean
from .diff import Change, word_diff
from .search.query import words_of
from .texts import text_clean

REPLACE, ADD_TERM, REMOVE_TERM = WAYS = ("replace", "add_term", "remove_term")
LONGEST = 200
NOTHING_TO_FIND = "Write what is to be replaced."
NO_TERM = "Write the term that is to be added or taken away."


@dataclass(frozen=True)
class Edited:
    """A caption as an edit would leave it. components: None keeps them. problem: why it cannot be so."""

    text: str
    components: dict[str, Any] | None
    diff: list[Change]
    problem: str = ""


class Edit(Protocol):
    """One change that is made to many captions."""

    @property
    def title(self) -> str:
        """What is done, to end with "in" or "of" captions."""
        ...

    @property
    def narrowing(self) -> str:
        """Words that every caption it changes holds, as the search takes them; "" when nothing is known."""
        ...

    def asked(self) -> dict[str, Any]:
        """As `edit_of` takes it."""
        ...

    def on(self, text: str, components: Mapping[str, Any]) -> Edited | None:
        """What becomes of a caption; None when it stays as it is."""
        ...


def edit_of(given: Mapping[str, Any]) -> Edit:
    """The edit that a request or a job names: `do` is one of WAYS, the rest are its fields. Raises BadInput."""
    do = given.get("do")
    if do == REPLACE:
        find, replace = (_plain(str(given.get(name) or "")) for name in ("find", "replace"))
        if not find:
            raise BadInput(NOTHING_TO_FIND, code="nothing_to_find")
        return Replacement(find, replace, bool(given.get("whole_word")), bool(given.get("match_case")))
    if do in (ADD_TERM, REMOVE_TERM):
        terms = terms_clean([str(given.get("term") or "")])
        if not terms:
            raise BadInput(NO_TERM, code="no_term")
        return TermChange(terms[0], add=do == ADD_TERM)
    raise BadInput(f"Captions cannot be changed by {str(do)[:40]!r}. Use one of {', '.join(WAYS)}.")


@dataclass(frozen=True)
class Replacement:
    """Plain words for plain words: what is typed is never read as a pattern."""

    find: str
    replace: str
    whole_word: bool = False
    match_case: bool = False

    @property
    def title(self) -> str:
        return f"Replace “{self.find}” with “{self.replace}” in"

    @property
    def narrowing(self) -> str:
        # Only where the index and the pattern agree on what a word is. Parts of words it cannot find at all.
        words = words_of(self.find) if self.whole_word and self.find.isascii() else []
        return f'"{" ".join(words)}"' if words else ""

    def asked(self) -> dict[str, Any]:
        return {"do": REPLACE, **asdict(self)}

    def on(self, text: str, components: Mapping[str, Any]) -> Edited | None:
        changed = self._pattern.sub(lambda _found: self.replace, text)
        if changed == text:
            return None
        diff = word_diff(text, changed)
        try:
            cleaned = text_clean(changed)
        except BadInput as error:
            return Edited(text, None, diff, error.message)
        return Edited(cleaned, None, diff) if cleaned != text else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        plain = re.escape(self.find)
        if self.whole_word:
            plain = rf"(?<!\w){plain}(?!\w)"
        return re.compile(plain, 0 if self.match_case else re.IGNORECASE)


@dataclass(frozen=True)
class TermChange:
    """A term put behind the others, or taken from among them."""

    term: str
    add: bool

    @property
    def title(self) -> str:
        return f"Add the term “{self.term}” to" if self.add else f"Take the term “{self.term}” from"

    @property
    def narrowing(self) -> str:
        return ""

    def asked(self) -> dict[str, Any]:
        return {"do": ADD_TERM if self.add else REMOVE_TERM, "term": self.term}

    def on(self, text: str, components: Mapping[str, Any]) -> Edited | None:
        terms = [str(term) for term in components.get("terms") or ()]
        if (self.term in terms) == self.add:
            return None
        changed = [*terms, self.term] if self.add else [term for term in terms if term != self.term]
        diff = self._diff(changed if self.add else terms)
        try:
            return Edited(text, {**components, "terms": terms_clean(changed)}, diff)
        except BadInput as error:
            return Edited(text, None, diff, error.message)

    def _diff(self, terms: Sequence[str]) -> list[Change]:
        """The terms with the one that comes or goes marked, and no comma with it."""
        changes: list[Change] = []
        for term in terms:
            marked = Change("added" if self.add else "removed", term)
            changes += [Change("same", ", "), marked if term == self.term else Change("same", term)]
        return changes[1:]


def _plain(words: str) -> str:
    """Words to find or to put in. White space counts: two spaces can be made one."""
    words = unicodedata.normalize("NFC", words)
    if hidden := hidden_character(words):
        raise BadInput(f"The words hold an invisible character ({hidden}). Type them again without.")
    if len(words) > LONGEST:
        raise BadInput(f"The words are too long: keep them below {LONGEST} characters.")
    return words
