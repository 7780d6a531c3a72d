"""What a text speaks of, and how: claimed, denied, or only compared with.

English, by patterns: no model decides what a caption means. A word that is part of an idiom ("sea level", "ice cream")
is taken by the idiom first and is no mention.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from .lexicon import DENIALS, IDIOMS, TOPICS

_ALL = re.compile(
    "|".join(
        [
            f"(?P<idiom>{IDIOMS})",
            *(rf"(?P<no_{topic}>\b(?:{pattern})\b)" for topic, pattern in DENIALS.items()),
            *(rf"(?P<{topic}>\b(?:{pattern})\b)" for topic, pattern in TOPICS.items()),
        ]
    ),
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[.!?](?=\s|$)|[;:\n()]|\b(?:(?<!anything )but|although|though|however|whereas|while|yet|except|instead|unlike)\b",
    re.IGNORECASE,
)
_WORD = r"[\w'’%°-]+"
# A cue, and then what may stand between it and what it denies: a few words of the same phrase.
_NEGATION = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none of|lack(?:s|ing)?|free (?:of|from)|devoid of|absence of|absent|zero|"
    r"cannot (?:see|be)|hardly any|rather than|instead of|isn['’]t|aren['’]t|doesn['’]t|don['’]t|clear of|"
    r"bereft of|void of|"
    r"empty of|anything but|far from (?:being )?(?=(?:flat|level|hilly|mountainous|steep|barren|bare|arid|lush|"
    r"urban)\b))\b"
    rf"(?P<between>(?:[\s,/-]+{_WORD}){{0,9}}?[\s,/-]*)$",
    re.IGNORECASE,
)
_ENDS_DENIAL = re.compile(
    r"\b(?:is|are|was|were|lies?|lying|stands?|stretch\w*|ris\w+|runs?|covers?|fills?|with|surrounds?|shows?|only|just|"
    r"there|which|that|it|reach\w*|dominat\w*|border\w*|beside|beneath|above|over|in front of|beyond|near|around|"
    r"far from|along)\b|,\s*(?:a|an|the|some|many|several)\b|\band (?:a|an|the|some|many|several)\b",
    re.IGNORECASE,
)
_VERB_OF_DENIAL = re.compile(r"^\s*(?:is|are|be|being|visible|seen|show|any|a|an|the|in|on)\b", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"^(?:,?\s+(?:and|or)\s+\w+|,\s+\w+){0,3}[\s,]*(?:(?:is|are|was|were)\s+(?:nowhere|absent|missing|not|"
    r"(?:entirely|completely|wholly|totally) absent)|"
    r"cannot be seen|can['’]?t be seen|[- ]free\b|(?:is|are) lacking|nowhere to be seen)",
    re.IGNORECASE,
)
# Words before a mention that make it a comparison, the past, the future, or somewhere else.
_HEDGE = re.compile(
    r"\b(?:like|resembl\w+|reminiscent of|similar to|compar\w+ (?:to|with)|as if|as though|evok\w+|recall\w+|"
    r"imitat\w+|mimic\w*|distant|nearby|far[- ]off|neighbou?ring|as|former|formerly|once|ex|ancient|fossil|"
    r"dried[- ](?:up|out)|dry|drained|extinct|prehistoric|"
    r"vanished|planned|future|prior|previous|past|towards?|flow\w* (?:in)?to|drain\w* (?:in)?to|lead\w* to|"
    r"(?:kilomet(?:re|er)s?|km|miles?|far|away|distant|inland|hours?) from|near|close to|beyond|facing|out to|"
    r"at the foot of|foot of|in the shadow of|on the way to|typical of|so (?:is|are)|not unlike|"
    r"not to be confused with|"
    r"mistaken for|taken for|pass(?:es)? for|no relation to)\s+"
    r"(?:(?:a|an|the|any|some|of|distant|nearby|its|more|nearest|next|open|great|small|frozen|big|large|calm|vast|"
    r"green|dark|white|deep|high|"
    r"rough|wide|flat|still|miniature|little|tiny|sandy|snowy|ancient|former|real|next|\w+ or)\s+){0,4}$",
    re.IGNORECASE,
)
_LIKENESS = re.compile(
    r"\b(?:look(?:s|ing)? like|resembl\w+|reminiscent of|as if|as though|pass(?:es)? for|evok\w+)"
    r"(?:\s+[\w-]+){0,6}\s*$|\blike (?:\w+ ){1,3}(?:on|of|in|over|across)\s+(?:(?:a|an|the)\s+)?$",
    re.IGNORECASE,
)
_HEDGE_AFTER = re.compile(
    r"^(?:[- ](?:like|shaped|sized|coloured|colored|blue|green|white|grey|gray|bed|beds|themed|style)\b|"
    r"\s+(?:in the (?:far )?distance|nearby|on the horizon|(?:was|were|had been|has been|have been|will be|"
    r"ha(?:s|ve)(?: (?:long|since|all|now)){0,3} (?:vanished|disappeared|gone|dried|melted|retreated|"
    r"been (?:cleared|felled))|"
    r"(?:is|are|lies?) (?:(?:too |very )?far|distant|beyond|outside|elsewhere|miles|\d+ ?km)|(?:it |"
    r"they )?would|once|used to)\b|further|farther|beyond)|(?:\s+\w+)?\s+(?:is|are) (?:rare|scarce|few|"
    r"unlikely)\b|['’]s (?:name|edge)\b)",
    re.IGNORECASE,
)
_SMALL = re.compile(
    r"\b(?:small|tiny|little|minor|few|scattered|isolated|sparse|sparsely|occasional|single|lone|some|patch(?:es|y)?|"
    r"pockets?|strips?|narrow|traces?|remnants?|spots?|partly|partially|hints?|slight|slightly|thin|corner|edge|"
    r"bits?|dotted)\b",
    re.IGNORECASE,
)
_LARGE = re.compile(
    r"\b(?:large|vast|huge|enormous|extensive|immense|big|great|wide|broad|dense|densely|thick|thickly|heavy|heavily|"
    r"deep|endless|entire|entirely|whole|full|fully|complete|completely|all|everywhere|unbroken|continuous|"
    r"most of|fills?|filling|filled|covers?|covered|covering|cloaked|blanket\w*|dominat\w*|buried|mostly|mainly|"
    r"predominantly|nearly all|open|sprawling|wall[- ]to[- ]wall|under)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mention:
    """A topic in the text. words: as they stand at `start`. before, after: the rest of its clause.

    never: the word itself denies ("landlocked", "cloudless").
    """

    topic: str
    words: str
    start: int
    before: str
    after: str
    never: bool = False

    @cached_property
    def denied(self) -> bool:
        return self.never or _is_denied(self.before, self.after)

    @cached_property
    def hedged(self) -> bool:
        """It is not said to be there, and not said to be absent."""
        if self.never:
            return False
        compared = _HEDGE.search(self.before) or _LIKENESS.search(self.before) or _HEDGE_AFTER.search(self.after)
        return bool(compared) and not self.denied

    @property
    def claimed(self) -> bool:
        return not self.denied and not self.hedged

    @cached_property
    def small(self) -> bool:
        """Only a little of it, or in one place."""
        return bool(_SMALL.search(_near(self.before)))

    @cached_property
    def large(self) -> bool:
        """Much of it."""
        around = f"{_near(self.before)} {_OTHER.split(_head(self.after))[0]}"
        return not self.small and bool(_LARGE.search(around) or _LARGE.search(self.words))

    def close(self, pattern: re.Pattern[str]) -> bool:
        """Whether the same part of the clause, between commas, says this too."""
        return bool(pattern.search(f"{self.before.rpartition(',')[2]} {self.words} {self.after.partition(',')[0]}"))

    def near(self, pattern: re.Pattern[str]) -> bool:
        """Whether the clause says this too."""
        return bool(pattern.search(f"{self.before} {self.words} {self.after}"))


def mentions_of(text: str) -> tuple[Mention, ...]:
    """What an English text speaks of, in its order."""
    found = [match for match in _ALL.finditer(text) if match.lastgroup != "idiom"]
    if not found:
        return ()
    ends = [(match.start(), match.end()) for match in _CLAUSE_END.finditer(text)]
    return tuple(_mention(text, match, ends) for match in found)


def _mention(text: str, match: re.Match[str], ends: list[tuple[int, int]]) -> Mention:
    begin = max((end for _start, end in ends if end <= match.start()), default=0)
    until = min((start for start, _end in ends if start >= match.end()), default=len(text))
    topic = str(match.lastgroup)
    return Mention(
        topic=topic.removeprefix("no_"),
        words=match[0],
        start=match.start(),
        before=text[begin : match.start()],
        after=text[match.end() : until],
        never=topic.startswith("no_"),
    )


def _is_denied(before: str, after: str) -> bool:
    if _DENIED_AFTER.match(after):
        return True
    match = _last_negation(before)
    if match is None:
        return False
    between = match["between"]
    # "does not show", "is not a": the verb belongs to the cue.
    between = _VERB_OF_DENIAL.sub("", between, count=1)
    if _ENDS_DENIAL.search(between):
        return False
    if "," in between:
        return _list_goes_on(between, after)
    return True


def _list_goes_on(between: str, after: str) -> bool:
    """ "no sea, lake or river" and "free of snow, ice and fog" go on; "no clouds, forest all over" does not."""
    if _OR.search(f"{between} {_head(after)}"):
        return True
    return bool(_AND.search(f"{between} {_head(after)}")) and not _VERB.search(_head(after, 6))


_OR = re.compile(r"\b(?:or|nor)\b", re.IGNORECASE)
_AND = re.compile(r"\band\b", re.IGNORECASE)
# A mention that does something begins a clause of its own.
_VERB = re.compile(
    r"\b(?:covers?|(?:is|are|was|were)(?! (?:visible|seen|present|found|there|to be))|fills?|stretch\w*|"
    r"lies?|ris\w+|dominat\w*|takes?|grows?|surrounds?|spreads?|extends?|climbs?|reach\w*|shows?|stands?)\b",
    re.IGNORECASE,
)


def _last_negation(before: str) -> re.Match[str] | None:
    """The cue nearest to the end: `not only` and `no longer` are none."""
    matches = [_NEGATION.search(before, cue.start()) for cue in _CUE.finditer(before)]
    fitting = [match for match in matches if match and not _NO_CUE.match(before, match.start())]
    return fitting[-1] if fitting else None


_CUE = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none|lack\w*|free|devoid|absence|absent|zero|cannot|hardly|rather|instead|"
    r"anything|far|"
    r"isn|aren|doesn|don|clear|bereft|void|empty)\b",
    re.IGNORECASE,
)
_NO_CUE = re.compile(r"no doubt|not only|not just|no less|no more than|not merely|no fewer|zero metres", re.IGNORECASE)


_OTHER = re.compile(r"\b(?:and|or|with|beside|near|under)\b")


def _near(before: str) -> str:
    """The last words before a mention, up to a comma."""
    return " ".join(before.rpartition(",")[2].split()[-5:])


def _head(after: str, words: int = 4) -> str:
    """The next words after a mention, up to a comma."""
    return " ".join(after.partition(",")[0].split()[:words])
