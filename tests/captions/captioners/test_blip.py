"""BLIP for real: a tiny model with random weights, saved and loaded as any other. Needs requirements-blip.txt."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from captions.captioners import captioner_names, captioner_of
from captions.captioners.base import CaptionAnswer, CaptionerClosed, CaptionTask, TileFacts
from captions.captioners.blip import BATCH
from captions.instructions import USUAL
from captions.models import Caption
from captions.writing.options import Captioning
from captions.writing.services import captioning_start
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput
from tiles.jobs.runner import run_here

WORDS = ("hill", "lake", "river", "green", "a", "of", "the", "over", "farmland", "sea")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP of a few thousand weights, which says words of WORDS at random."""
    torch = pytest.importorskip("torch", reason="the blip extra is not installed")
    transformers = pytest.importorskip("transformers", reason="the blip extra is not installed")
    made = tmp_path_factory.mktemp("blip") / "tiny-blip"
    made.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *WORDS]
    tokenizer = transformers.BertTokenizerFast(vocab={word: number for number, word in enumerate(vocabulary)})
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    config = transformers.BlipConfig(
        text_config={**small, **ids, "vocab_size": len(vocabulary), "encoder_hidden_size": 16, "projection_dim": 16},
        vision_config={**small, "image_size": 32, "patch_size": 16, "projection_dim": 16},
        projection_dim=16,
    )
    torch.manual_seed(7)
    model = transformers.BlipForConditionalGeneration(config)
    with torch.no_grad():  # never a special token first, or there would be nothing to read
        model.text_decoder.cls.predictions.bias[:6] = -20.0
    model.save_pretrained(made)
    size = {"height": 32, "width": 32}
    transformers.BlipProcessor(transformers.BlipImageProcessor(size=size), tokenizer).save_pretrained(made)
    return made


@pytest.mark.slow
def test_a_batch_is_described(folder: Path, settings: Any) -> None:
    settings.CAPTION_BLIP_MODEL = str(folder)
    assert captioner_names()[-1] == "blip"
    blip, beats = captioner_of("blip"), []
    tasks = [CaptionTask(index, TileFacts("land", index), USUAL, picture=picture(index)) for index in range(BATCH + 3)]
    answered = list(blip.answers(iter(tasks), lambda: beats.append(1)))

    assert [one.task.tile_id for one in answered] == list(range(BATCH + 3))
    assert len(beats) > 10
    for one in answered:
        assert isinstance(one.outcome, CaptionAnswer)
        words = one.outcome.description.split()
        assert set(words) <= set(WORDS)
        assert set(one.outcome.terms) == set(words) & set(USUAL.terms)
        assert one.outcome.provenance["model"] == "tiny-blip"


@pytest.mark.slow
@pytest.mark.django_db
def test_an_area_is_described(folder: Path, settings: Any, data_folder: Path) -> None:
    settings.CAPTION_BLIP_MODEL = str(folder)
    area = make_area("land")
    for index in range(3):
        make_tile(area, index)
    job = captioning_start(area=area, asked=Captioning(captioner="blip"), background=False)
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.done) == ("done", 3)
    assert list(Caption.objects.values_list("origin", flat=True)) == ["blip"] * 3


@pytest.mark.slow
def test_a_folder_without_a_model_closes_it(folder: Path, settings: Any, tmp_path: Path) -> None:
    settings.CAPTION_BLIP_MODEL = str(tmp_path)
    tasks = [CaptionTask(0, TileFacts("land", 0), USUAL, picture=picture(0))]
    with pytest.raises(CaptionerClosed, match="cannot be loaded"):
        list(captioner_of("blip").answers(iter(tasks), lambda: None))


def test_without_the_extra_it_says_what_to_install(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CAPTION_BLIP_MODEL = "Salesforce/blip-image-captioning-base"
    monkeypatch.setattr(sys, "path", [])
    sys.path_importer_cache.clear()
    for name in ("torch", "transformers"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(BadInput, match=r"requirements-blip\.txt"):
        captioner_of("blip")


def picture(index: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 40), (20 * index % 256, 90, 40)).save(written, "JPEG")
    return written.getvalue()
