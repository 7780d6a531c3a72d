"""Who can write captions: one file a backend, found by name.

`rules` writes from measured facts, `blip` runs a model on this machine, and every endpoint of CAPTION_ENDPOINTS is a
captioner under its own name. What others wrote is taken in by `captions.importing`.
"""

from __future__ import annotations

from django.conf import settings

from .base import Writer
from .blip import BlipCaptioner
from .endpoints import endpoint_names, endpoint_of
from .factual import Factual
from .openai import OpenAICaptioner
from .rules import RulesCaptioner


def captioner_names() -> list[str]:
    """Every captioner there is, whether it can be used right now or not."""
    blip = [BlipCaptioner.name] if settings.CAPTION_BLIP_MODEL else []
    return [RulesCaptioner.name, *endpoint_names(), *blip]


def captioner_of(name: str) -> Writer:
    """A captioner as jobs use it. Raises BadInput for one that is not there or whose settings make no sense."""
    if name == RulesCaptioner.name:
        return Factual(RulesCaptioner())
    if name == BlipCaptioner.name and settings.CAPTION_BLIP_MODEL:
        return BlipCaptioner(settings.CAPTION_BLIP_MODEL, device=settings.CAPTION_BLIP_DEVICE)
    return OpenAICaptioner(endpoint_of(name))
