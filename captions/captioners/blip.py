"""BLIP, or any other model of transformers that says a text to an image, on this machine: CPU or GPU.

torch and transformers are large and not needed for anything else: they are an extra (requirements-blip.txt), and
imported only when a model is used. Weights are read as safetensors only, and no code that comes with a model is run.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from tiles.core.errors import BadInput

from ..texts import text_clean
from .base import Answered, CaptionAnswer, CaptionerClosed, CaptionTask, Spent, Unanswered, Wants
from .openai_answer import storable

BATCH = 8
MOST_TOKENS = 60
PICTURE = 512
LOOK_SECONDS = 1.0
MISSING = (
    "The captioner blip needs torch and transformers, which are not installed. "
    "Run: python -m pip install -r requirements-blip.txt"
)
_HUB = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


@dataclass(frozen=True)
class _Loaded:
    """A model that is ready."""

    processor: Any
    model: Any
    device: str


_loaded: dict[tuple[str, str], _Loaded] = {}


class BlipCaptioner:
    """model: a local folder, or a hub id such as Salesforce/blip-image-captioning-base. device: "" chooses."""

    name = "blip"
    wants = Wants(size=PICTURE, at_once=2 * BATCH)

    def __init__(self, model: str, *, device: str = "") -> None:
        if not all(find_spec(package) for package in ("torch", "transformers")):
            raise BadInput(MISSING)
        if not Path(model).is_dir() and not _HUB.fullmatch(model):
            raise BadInput("Set CAPTION_BLIP_MODEL to a folder with a model, or to the id of one on the hub.")
        self.model = Path(model).name if Path(model).is_dir() else model
        self._place, self._device = model, device

    def answers(self, tasks: Iterator[CaptionTask], beat: Callable[[], None]) -> Generator[Answered]:
        while batch := list(islice(tasks, BATCH)):
            loaded = _beating(lambda: _load(self._place, self._device), beat)
            began = time.monotonic()
            texts = _describe(loaded, [task.picture for task in batch], beat)
            each = (time.monotonic() - began) / len(batch)
            for task, text in zip(batch, texts, strict=True):
                yield Answered(task, self._answer(task, text, loaded.device, each), Spent(seconds=each))

    def cost(self, _spent: Spent) -> float:
        return 0.0

    def _answer(self, task: CaptionTask, text: str, device: str, seconds: float) -> CaptionAnswer | Unanswered:
        try:
            description = text_clean(text)
        except BadInput as error:
            return Unanswered("description_unusable", error.message)
        said = set(re.findall(r"\w+", description.lower()))
        provenance = {
            "backend": self.name,
            "model": self.model,
            "device": device,
            "torch": version("torch"),
            "transformers": version("transformers"),
            "raw": storable(text),
            "seconds": round(seconds, 3),
        }
        # The model knows no list of terms: those count whose word it said.
        terms = tuple(term for term in task.guide.terms if term in said)
        return CaptionAnswer(description, terms=terms, provenance=provenance)


def _beating(work: Callable[[], _Loaded], beat: Callable[[], None]) -> _Loaded:
    """Do what may take minutes in a thread, and beat meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while True:
            beat()
            try:
                return future.result(timeout=LOOK_SECONDS)
            except NotYet:
                if future.done():
                    raise


def _load(place: str, device: str) -> _Loaded:
    """The model, once a process. Raises CaptionerClosed for one that cannot be loaded."""
    if (place, device) in _loaded:
        return _loaded[place, device]
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        processor = AutoProcessor.from_pretrained(place)
        model = AutoModelForImageTextToText.from_pretrained(place, use_safetensors=True).to(chosen).eval()
    except Exception as error:  # whatever a strange folder makes of transformers
        raise CaptionerClosed(f"The model of CAPTION_BLIP_MODEL cannot be loaded: {str(error)[:300]}") from error
    _loaded[place, device] = _Loaded(processor, model, chosen)
    return _loaded[place, device]


def _describe(loaded: _Loaded, pictures: list[bytes], beat: Callable[[], None]) -> list[str]:
    """A text for each picture, generated together; beats with every token."""
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class Beat(StoppingCriteria):
        def __call__(self, ids: Any, *_scores: Any, **_options: Any) -> Any:
            beat()
            return torch.zeros(ids.shape[0], dtype=torch.bool, device=ids.device)

    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    with torch.inference_mode():
        inputs = loaded.processor(images=images, return_tensors="pt").to(loaded.device)
        ids = loaded.model.generate(
            **inputs, max_new_tokens=MOST_TOKENS, stopping_criteria=StoppingCriteriaList([Beat()])
        )
    texts: list[str] = loaded.processor.batch_decode(ids, skip_special_tokens=True)
    return texts
