"""Which language a text is in, as far as scripts and a few dozen of the smallest words tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

ENOUGH = 3
"""Small words of another language, all different, before a text is said to be in it."""
OTHER_SCRIPT = 0.3
"""Share of letters in another script from which on a text is said to be in that."""


@dataclass(frozen=True)
class Language:
    name: str
    script: str
    words: frozenset[str] = frozenset()


def _latin(name: str, words: str) -> Language:
    return Language(name, "LATIN", frozenset(words.split()))


LANGUAGES = {
    "en": _latin(
        "English",
        "the of and in is with to from by at on an are its this that it for there which between over under through has",
    ),
    "de": _latin(
        "German",
        "der die das und ein eine einer eines mit von im ist sind nach über unter auf dem den des zwischen durch liegt "
        "am zum zur bei kein keine",
    ),
    "fr": _latin(
        "French",
        "le la les des une du et est avec dans sur aux entre sous sont un par pour au cette montre qui vers",
    ),
    "es": _latin(
        "Spanish",
        "el la los las una del y con en es está son por para entre sobre muestra al que se un sin hacia",
    ),
    "it": _latin(
        "Italian",
        "il lo gli una della delle dei del e con è sono tra fra sopra sotto nella nel alla che si un per da verso",
    ),
    "pt": _latin(
        "Portuguese", "o os uma um do da dos das e com em é são entre sobre mostra que se no na nos nas ao para"
    ),
    "nl": _latin(
        "Dutch", "de het een en van met is zijn tussen over onder door naar op aan bij uit deze dit geen toont ligt"
    ),
    "pl": _latin("Polish", "i w z na jest są przez nad pod do od się oraz między nie obraz który"),
    "tr": _latin("Turkish", "ve bir bu ile için olan üzerinde arasında altında görüntü var yok gibi daha"),
    "id": _latin("Indonesian", "yang dan di ke dari dengan ini itu pada adalah untuk antara tidak oleh sebuah"),
    "vi": _latin("Vietnamese", "và của là các một với trong được có những từ này cho không"),
    "zh": Language("Chinese", "CJK"),
    "ja": Language("Japanese", "HIRAGANA"),
    "ko": Language("Korean", "HANGUL"),
    "ru": Language("Russian", "CYRILLIC"),
    "uk": Language("Ukrainian", "CYRILLIC"),
    "el": Language("Greek", "GREEK"),
    "ar": Language("Arabic", "ARABIC"),
    "fa": Language("Persian", "ARABIC"),
    "he": Language("Hebrew", "HEBREW"),
    "hi": Language("Hindi", "DEVANAGARI"),
    "th": Language("Thai", "THAI"),
}
_SCRIPTS = {
    "LATIN": "in Latin letters",
    "CJK": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "in Cyrillic letters",
    "GREEK": "Greek",
    "ARABIC": "in Arabic letters",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "in Devanagari letters",
    "THAI": "Thai",
}
_ALSO = {"HIRAGANA": {"HIRAGANA", "KATAKANA", "CJK"}}
"""Scripts that a language mixes."""
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str, *, wanted: str) -> str:
    """What the text seems to be in, when that is not the wanted language; "" when it is, or cannot be told."""
    language = LANGUAGES.get(wanted)
    if language is None:
        return ""
    if script := _other_script(text, language):
        return _SCRIPTS.get(script, f"in {script.title()} letters")
    if not language.words:
        return ""
    words = set(_WORD.findall(text.lower()))
    ours = len(words & language.words)
    others = {code: len(words & other.words - language.words) for code, other in LANGUAGES.items() if code != wanted}
    best = max(others, key=lambda code: others[code])
    return LANGUAGES[best].name if others[best] >= ENOUGH and others[best] > 2 * ours else ""


def _other_script(text: str, language: Language) -> str:
    if text.isascii():
        counts = Counter({"LATIN": sum(char.isalpha() for char in text)})
    else:
        counts = Counter(_script(char) for char in text if char.isalpha())
    total = sum(counts.values())
    allowed = _ALSO.get(language.script, {language.script})
    others = Counter({script: number for script, number in counts.items() if script not in allowed})
    if not total or sum(others.values()) < OTHER_SCRIPT * total:
        return ""
    return others.most_common(1)[0][0]


def _script(char: str) -> str:
    """The first word of the character's name: LATIN, CJK, HANGUL ..."""
    return unicodedata.name(char, "?").partition(" ")[0]
