"""Claims about cloud, fog and the time of day, against the scene and the light."""

from __future__ import annotations

import re

from .base import CheckFacts
from .claims import ClaimCheck, percent
from .mentions import Mention

NO_CLOUD, NO_HAZE = 0.003, 0.02
BRIGHT_FOR_NIGHT = 0.08
_THIN = re.compile(r"\b(?:thin|wispy|cirrus|transparent|faint|high)\b", re.IGNORECASE)
_HEAVY = re.compile(
    r"\b(?:dense|thick|heavy|heavily|mostly|completely|entirely|largely|solid|whole|overcast|most)\b", re.I
)


def clear_air(facts: CheckFacts) -> str:
    """Why the air is clear, where that was measured. By night and in fog nothing is said."""
    if facts.cloud_share is None or facts.scene in ("night", "fog"):
        return ""
    if facts.cloud_share >= NO_CLOUD or (facts.haze_share or 0) >= NO_HAZE:
        return ""
    return f"bright white covers {percent(facts.cloud_share)}, haze {percent(facts.haze_share or 0)}"


def _cloud_claimed(mention: Mention, facts: CheckFacts) -> str:
    if mention.near(_THIN):
        return ""
    if why := clear_air(facts):
        return why
    much = mention.near(_HEAVY) and not mention.small
    if much and facts.cloud_share is not None and facts.cloud_share < 0.1 and (facts.haze_share or 0) < 0.1:
        return "" if facts.scene in ("night", "fog") else f"bright white covers {percent(facts.cloud_share)} only"
    return ""


def _cloud_denied(_mention: Mention, facts: CheckFacts) -> str:
    """Snow, salt and roofs are white too: only where there can hardly be snow."""
    if facts.cloud_share is None or facts.cloud_share < 0.3 or facts.scene == "snow":
        return ""
    cold = facts.lat is None or abs(facts.lat) > 45 or (facts.dem_max or 0) > 2500
    if cold and facts.cloud_share < 0.6:
        return ""
    if cold and (facts.vegetation or 0) < 0.2:
        return ""
    return f"bright white covers {percent(facts.cloud_share)}"


def _fog_claimed(mention: Mention, facts: CheckFacts) -> str:
    if mention.near(_THIN) or facts.water >= 0.5 or mention.small:
        return ""
    return clear_air(facts)


def _fog_denied(_mention: Mention, facts: CheckFacts) -> str:
    return "the scene is labelled fog" if facts.scene == "fog" else ""


def _sky_clear(mention: Mention, facts: CheckFacts) -> str:
    """A clear sky is clear air too."""
    return _fog_denied(mention, facts) if mention.never else ""


def night_claimed(_mention: Mention, facts: CheckFacts) -> str:
    if facts.scene == "night" or facts.brightness is None or facts.brightness <= BRIGHT_FOR_NIGHT:
        return ""
    return f"mean brightness {facts.brightness:.2f}, that is daylight"


def _night_denied(_mention: Mention, facts: CheckFacts) -> str:
    return "the scene is labelled night" if facts.scene == "night" else ""


CHECKS = (
    ClaimCheck("cloud", ("cloud",), _cloud_claimed, _cloud_denied, 0.6),
    ClaimCheck("fog", ("fog",), _fog_claimed, _fog_denied, 0.7),
    ClaimCheck("fog", ("cloud",), None, _sky_clear, 0.7),
    ClaimCheck("night", ("night",), night_claimed, _night_denied, 0.8),
)
