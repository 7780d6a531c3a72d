"""Captionings of areas: what is stored, what becomes a caption, what pauses them, and what is paid for once."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from captions.captioners import openai
from captions.captioners.patience import Patience
from captions.instructions import USUAL, guide_of, instruction_write
from captions.models import Caption, CaptionRevision, Proposal
from captions.reading import caption_read
from captions.services import caption_rectify, caption_write_machine
from captions.writing.options import Budget, Captioning
from captions.writing.selectors import trial_of
from captions.writing.services import captioning_start
from tests.support.factories import counters, make_area, make_tile, recount
from tests.support.vision import MODEL, SAID, Asked, Reply, VisionServer, completion
from tiles.core.errors import BadInput, Conflict, NotAllowed
from tiles.core.paths import layer_path
from tiles.jobs.chunks import chunk_give_up, job_locked
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.services import job_resume
from tiles.models import Area, Job, TilePair

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[VisionServer]:
    openai._schemaless.clear()
    monkeypatch.setattr(openai, "PATIENT", Patience(tries=2, first_wait=0.001, most_wait=0.002))
    with VisionServer() as made:
        settings.CAPTION_ENDPOINTS = {"glm": made.endpoint(), "other": made.endpoint()}
        settings.DEMETER_WORKERS = 1
        yield made


@pytest.fixture
def area(data_folder: Path) -> Area:
    area = make_area("land")
    for index in range(6):
        make_tile(area, index)
    return area


def write(area: Area, captioner: str = "glm", *, budget: Budget | None = None, by: Any = None, **options: Any) -> Job:
    """Start a captioning and work it to its end."""
    asked = Captioning(captioner=captioner, **options)
    job = captioning_start(area=area, asked=asked, budget=budget or Budget(), by=by, background=False)
    return run_here(job.pk, lambda _job: None)


def work_one(job: Job) -> None:
    """Work the next chunk of a job: its plan."""
    lease = chunk_lease(job.pk)
    assert lease
    chunk_run(lease)


def origins(area: Area) -> list[str]:
    return list(Caption.objects.filter(area=area).order_by("tile__index").values_list("origin", flat=True))


def test_an_area_is_described(area: Area, server: VisionServer) -> None:
    job = write(area)

    assert (job.state, job.done, job.failed, job.error) == ("done", 6, 0, "")
    assert origins(area) == ["glm"] * 6
    assert (job.parameters["spent"]["tokens"], job.parameters["spent"]["answers"]) == (6 * 960, 6)
    caption = Caption.objects.get(tile__index=3)
    assert (caption.text, caption.components["category"]) == (SAID["description"], "hills")
    revision = caption.revisions.get()
    assert revision.proposal is not None
    assert revision.provenance["model"] == MODEL
    assert counters(area) == recount(area)
    assert all("hill" in asked.words and asked.pictures == [(64, 64)] for asked in server.asked)


def test_what_was_answered_is_not_asked_again(area: Area, server: VisionServer) -> None:
    write(area, make_captions=False)
    assert not Caption.objects.exists()
    again = write(area)

    assert len(server.asked) == 6
    assert (again.done, again.parameters["spent"]) == (6, {})
    assert origins(area) == ["glm"] * 6
    assert Proposal.objects.count() == 6

    instruction_write(area=area, text="Look for rivers.", terms=["river"], by=None)
    write(area)
    assert (len(server.asked), Proposal.objects.count()) == (12, 12)
    assert "Look for rivers." in server.asked[-1].words
    assert Proposal.objects.order_by("-id")[0].instruction.number == 1


def test_a_picture_that_changed_is_described_anew(area: Area, server: VisionServer) -> None:
    write(area)
    tile = area.tiles.get(index=2)
    tile.layers["png"]["v"] = 2
    tile.save()
    write(area)
    assert (len(server.asked), Proposal.objects.filter(tile=tile).count()) == (7, 2)


def test_peoples_texts_stand_and_are_not_asked_for(area: Area, server: VisionServer, person: Any) -> None:
    ann, tiles = person("annotator"), list(area.tiles.order_by("index"))
    for tile in tiles[:3]:
        caption_write_machine(tile_id=tile.pk)
    caption_rectify(tile_id=tiles[0].pk, text="Mine.", base_version=1, by=ann, client_id=uuid4())
    caption_read(tile_id=tiles[1].pk, verb="accept", base_version=1, by=ann, client_id=uuid4())
    job = write(area)

    assert (job.total, len(server.asked)) == (4, 4)
    assert origins(area) == ["person", "rules", "glm", "glm", "glm", "glm"]
    caption_write_machine(tile_id=tiles[2].pk)
    assert origins(area)[2] == "glm"
    write(area, make_captions=False)
    assert (len(server.asked), origins(area)[0]) == (6, "person")


def test_a_person_who_saves_while_the_model_thinks_is_not_overwritten(
    area: Area, server: VisionServer, person: Any
) -> None:
    ann, tile = person("annotator"), area.tiles.get(index=0)
    job = captioning_start(area=area, asked=Captioning(captioner="rules"), background=False)
    work_one(job)
    caption_rectify(tile_id=tile.pk, text="Mine.", base_version=0, by=ann, client_id=uuid4())
    assert run_here(job.pk, lambda _job: None).state == "done"
    assert origins(area) == ["person", *["rules"] * 5]
    assert Proposal.objects.filter(captioner="rules").count() == 6


def test_only_missing_ones(area: Area, server: VisionServer) -> None:
    write(area, limit=2)
    instruction_write(area=area, text="Look for rivers.", terms=["river"], by=None)
    job = write(area, only_missing=True)
    assert (job.total, len(server.asked)) == (4, 6)


def test_failures_are_grouped_and_the_rest_goes_on(area: Area, server: VisionServer) -> None:
    lowest = f"dem min {area.tiles.get(index=2).dem_min:.4g},"

    def fault(asked: Asked) -> Reply | None:
        return completion("I'm sorry, I cannot do that.") if lowest in asked.words else None

    server.faults.append(fault)
    layer_path("land", "png", 5).unlink()
    job = write(area)

    assert (job.state, job.done, job.failures) == ("done", 4, {"refused": 1, "no_picture": 1})
    assert any("tile_2" in event.message for event in job.events.all())
    server.faults.clear()
    assert write(area).failures == {"no_picture": 1}
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("fault", "reason"), [(Reply(401), "refuses the key"), (Reply(500), "fails (500)"), (Reply(404), "MODEL")]
)
def test_a_closed_endpoint_pauses_the_job_with_its_reason(
    area: Area, server: VisionServer, fault: Reply, reason: str
) -> None:
    server.faults.append(lambda _asked: fault)
    job = write(area)
    assert (job.state, job.done, job.failed) == ("paused", 0, 0)
    assert reason in job.error

    server.faults.clear()
    job_resume(job_id=job.pk, by=None)
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.done, job.error) == ("done", 6, "")
    assert Proposal.objects.count() == 6


def test_what_is_answered_before_it_closes_is_kept(area: Area, server: VisionServer, settings: Any) -> None:
    settings.CAPTION_ENDPOINTS["glm"]["concurrent"] = 1
    server.faults.append(lambda _asked: Reply(401) if len(server.asked) > 3 else None)
    job = write(area)
    assert (job.state, job.done, Proposal.objects.count()) == ("paused", 3, 3)


def test_a_budget_stops_and_more_of_it_goes_on(area: Area, server: VisionServer, settings: Any) -> None:
    settings.CAPTION_ENDPOINTS["glm"]["concurrent"] = 1
    job = write(area, budget=Budget(tokens=1900))
    assert job.state == "paused"
    assert "budget of 1,900 tokens is used up" in job.error
    assert (job.done, job.parameters["spent"]["tokens"]) == (2, 1920)

    joined = write(area, budget=Budget(tokens=100_000))
    assert (joined.pk, joined.state, joined.done) == (job.pk, "done", 6)
    assert len(server.asked) == 6


def test_a_budget_in_money_needs_prices(area: Area, server: VisionServer, settings: Any) -> None:
    with pytest.raises(BadInput, match="PRICE_IN"):
        write(area, budget=Budget(money=1.0))
    settings.CAPTION_ENDPOINTS["glm"]["prices"] = (1000.0, 1000.0)
    settings.CAPTION_ENDPOINTS["glm"]["concurrent"] = 1
    job = write(area, budget=Budget(money=1.5))
    assert (job.state, job.done, job.parameters["spent"]["money"]) == ("paused", 2, pytest.approx(1.92))
    assert "1.5 (money, at the configured prices)" in job.error


def test_a_trial_proposes_and_estimates(area: Area, server: VisionServer, settings: Any) -> None:
    settings.CAPTION_ENDPOINTS["glm"]["prices"] = (1.0, 1.0)
    job = write(area, trial=True, limit=3)
    trial = trial_of(job)

    assert [line.proposal.tile.index for line in trial.lines] == [1, 3, 5]
    assert (trial.tiles, trial.tokens) == (6, 6 * 960)
    assert trial.money == pytest.approx(6 * 960 / 1e6)
    assert not Caption.objects.exists()
    write(area)
    assert len(server.asked) == 6
    assert origins(area) == ["glm"] * 6


def test_several_captioners_propose_and_the_last_told_to_write_stands(area: Area, server: VisionServer) -> None:
    write(area)
    write(area, "rules", make_captions=False)
    server.says = lambda _asked: {**SAID, "description": "Another view of hills."}
    write(area, "other")
    assert origins(area) == ["other"] * 6
    assert sorted(set(Proposal.objects.values_list("captioner", flat=True))) == ["glm", "other", "rules"]
    assert CaptionRevision.objects.count() == 12


def test_another_model_pauses_a_job_that_was_started_for_one(area: Area, server: VisionServer, settings: Any) -> None:
    job = captioning_start(area=area, asked=Captioning(captioner="glm"), background=False)
    settings.CAPTION_ENDPOINTS["glm"]["model"] = "bigger"
    ended = run_here(job.pk, lambda _job: None)
    assert (ended.state, "another model now" in ended.error) == ("paused", True)


def test_who_may_and_what_makes_no_sense(area: Area, server: VisionServer, person: Any) -> None:
    with pytest.raises(NotAllowed):
        write(area, by=person("reviewer"))
    with pytest.raises(BadInput, match="no captioner"):
        write(area, "nobody")
    with pytest.raises(Conflict, match="no tiles yet"):
        write(make_area("empty"))
    job = captioning_start(area=area, asked=Captioning(captioner="glm"), by=person("curator"), background=False)
    with pytest.raises(Conflict, match="other options"):
        captioning_start(area=area, asked=Captioning(captioner="glm", limit=2), background=False)
    assert captioning_start(area=area, asked=Captioning(captioner="glm"), background=False).pk == job.pk


def test_what_a_worker_died_over_is_counted(area: Area, server: VisionServer) -> None:
    job = captioning_start(area=area, asked=Captioning(captioner="glm"), background=False)
    work_one(job)
    chunk_give_up(job.chunks.get(stage=1), job_locked(job.pk), "The worker died.")
    job.refresh_from_db()
    assert (job.state, job.failures) == ("done", {"worker_died": 6})


class TestInstructions:
    def test_versions(self, area: Area, person: Any) -> None:
        assert guide_of(area) == USUAL
        cara = person("curator")
        first = instruction_write(area=area, text=" Look.\r\n", terms=["Lake", "lake ", "hill"], by=cara)
        assert (first.number, first.text, first.terms) == (1, "Look.", ["lake", "hill"])
        assert instruction_write(area=area, text="Look.", terms=["lake", "hill"], by=cara).pk == first.pk
        assert instruction_write(area=area, text="Look well.", terms=["lake"], by=cara).number == 2
        assert (guide_of(area).text, guide_of(area, number=1).text) == ("Look well.", "Look.")
        assert guide_of(area, number=0) == USUAL

    @pytest.mark.parametrize(
        ("text", "terms"), [("", ["a"]), ("x" * 4001, ["a"]), ("a\u202eb", ["a"]), ("Look", []), ("Look", ["x" * 41])]
    )
    def test_what_is_none(self, area: Area, text: str, terms: list[str]) -> None:
        with pytest.raises(BadInput):
            instruction_write(area=area, text=text, terms=terms, by=None)


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("caption_area", *arguments, stdout=out, stderr=StringIO())
        return out.getvalue()

    def test_a_dry_run_then_all(self, area: Area, server: VisionServer) -> None:
        shown = self.run("land", "--captioner", "glm", "--dry-run", "--limit", "2", "--instruction", "Look.")
        assert SAID["description"] in shown
        assert "All 6 tiles would take about" in shown
        assert "5,760 tokens" in shown
        assert "6 of 6 tiles described, 0 failed" in self.run("land", "--captioner", "glm")
        assert (len(server.asked), guide_of(area).number) == (6, 1)

    def test_it_says_what_is_wrong(self, area: Area, server: VisionServer) -> None:
        with pytest.raises(CommandError, match="There are: rules, glm, other"):
            self.run("land", "--captioner", "nobody")
        server.faults.append(lambda _asked: Reply(401))
        with pytest.raises(CommandError, match=r"refuses the key .*The same command goes on"):
            self.run("land", "--captioner", "glm")
        server.faults.clear()
        assert "6 of 6" in self.run("land", "--captioner", "glm")
        assert TilePair.objects.filter(captioned=True).count() == 6
