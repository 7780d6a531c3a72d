"""A captioner let loose on a selection of captions: what it goes to, what stands, and taking it all back."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from captions import bulk
from captions.bulk import Outcome
from captions.instructions import instruction_write
from captions.models import Caption, Finding, Reading
from captions.reading import caption_read
from captions.search.index import index_differences, index_write
from captions.services import caption_rectify, caption_write_machine
from captions.writing.options import Captioning
from captions.writing.selectors import trial_of
from captions.writing.services import captioning_start, captioning_undo
from tests.support.factories import counters, make_area, make_tile, recount
from tests.support.vision import SAID, VisionServer
from tiles.core.errors import BadInput, NotAllowed, NotFound
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.models import Area, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(data_folder: Path) -> Area:
    """Six captions by `rules`."""
    area = make_area("land")
    for index in range(6):
        caption_write_machine(tile_id=make_tile(area, index).pk)
    return area


@pytest.fixture
def server(settings: Any) -> Any:
    with VisionServer() as made:
        settings.CAPTION_ENDPOINTS = {"glm": made.endpoint()}
        settings.DEMETER_WORKERS = 1
        yield made


def caption(area: Area, index: int) -> Caption:
    return Caption.objects.get(area=area, tile__index=index)


def only(area: Area, *indexes: int) -> str:
    return f"only={','.join(str(caption(area, index).pk) for index in indexes)}"


def write(area: Area, among: str, **options: Any) -> Job:
    job = captioning_start(area=area, asked=Captioning(captioner="glm", among=among, **options), background=False)
    return run_here(job.pk, lambda _job: None)


def origins(area: Area) -> str:
    """The first letter of who wrote each."""
    return "".join(row.origin[0] for row in Caption.objects.filter(area=area).order_by("tile__index"))


def test_only_what_is_selected_is_described_and_peoples_texts_stand(
    area: Area, server: VisionServer, person: Any
) -> None:
    ann = person("annotator")
    caption_rectify(tile_id=caption(area, 1).tile_id, text="Mine.", base_version=1, by=ann, client_id=uuid4())
    caption_read(tile_id=caption(area, 2).tile_id, verb="accept", base_version=1, by=ann, client_id=uuid4())
    job = write(area, only(area, 0, 1, 2, 4))

    assert (job.total, job.done, len(server.asked)) == (2, 2, 2)
    assert origins(area) == "gprrgr"
    assert job.title == "Captions of a selection of land by glm"


@pytest.mark.parametrize(
    ("among", "expected"),
    [("origin=rules&state=unread", "gggggg"), ("finding=sea", "rgrrrr"), ("q=marked", "rrrgrr")],
)
def test_a_filter_is_a_selection(area: Area, server: VisionServer, among: str, expected: str) -> None:
    Finding.objects.create(caption=caption(area, 1), area=area, code="sea", message="No sea.", severity=1)
    marked = caption(area, 3)
    caption_write_machine(tile_id=marked.tile_id)
    Caption.objects.filter(pk=marked.pk).update(text="Marked.")
    index_write([caption(area, 3)])
    write(area, among)
    assert origins(area) == expected


def test_a_selection_is_what_it_was_when_it_was_asked_for(area: Area, server: VisionServer, person: Any) -> None:
    """Saved, built or described between the request and the plan: left alone."""
    asked = Captioning(captioner="glm", among="origin=rules")
    job = captioning_start(area=area, asked=asked, background=False)
    caption_write_machine(tile_id=make_tile(area, 7).pk)
    ann = person("annotator")
    caption_rectify(tile_id=caption(area, 0).tile_id, text="Mine.", base_version=1, by=ann, client_id=uuid4())
    lease = chunk_lease(job.pk)
    assert lease
    chunk_run(lease)
    # And between the plan and the answer: asked about, and only proposed.
    caption_rectify(tile_id=caption(area, 5).tile_id, text="Mine too.", base_version=1, by=ann, client_id=uuid4())
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.total, origins(area)) == ("done", 5, "pggggpr")


def test_a_trial_goes_to_ten_of_it_and_counts_the_rest(area: Area, server: VisionServer) -> None:
    trial = trial_of(write(area, only(area, 1, 2, 3, 4), trial=True, limit=2))
    assert [line.proposal.tile.index for line in trial.lines] == [2, 4]
    assert trial.tiles == 4
    assert origins(area) == "rrrrrr"


def test_it_is_told_the_version_that_was_chosen(area: Area, server: VisionServer) -> None:
    for text in ("Look for rivers.", "Look for lakes."):
        instruction_write(area=area, text=text, terms=["water"], by=None)
    write(area, only(area, 0), instruction=1)
    write(area, only(area, 1))
    write(area, only(area, 2), instruction=0)
    told = [asked.words for asked in server.asked]
    assert ["rivers." in told[0], "lakes." in told[1], "Describe this" in told[2]] == [True] * 3
    with pytest.raises(NotFound, match="no instruction 3"):
        write(area, only(area, 3), instruction=3)
    with pytest.raises(BadInput):
        write(area, "only=x")


class TestUndo:
    def test_one_undo_for_all_that_was_replaced(self, area: Area, server: VisionServer, person: Any) -> None:
        cara, before = person("curator"), caption(area, 0).text
        make_tile(area, 9)  # its first caption: nothing stood before
        job = write(area, "")
        assert origins(area) == "ggggggg"
        ann = person("annotator")
        caption_rectify(tile_id=caption(area, 1).tile_id, text="Mine.", base_version=2, by=ann, client_id=uuid4())
        caption_read(tile_id=caption(area, 2).tile_id, verb="accept", base_version=2, by=ann, client_id=uuid4())

        for _twice in range(2):
            outcome = captioning_undo(job_id=job.pk, by=cara)
            assert outcome == Outcome(4, stale=[("land", 1), ("land", 2)])
        assert origins(area) == "rpgrrrg"
        again = caption(area, 0)
        assert (again.text, again.version, again.author, again.state) == (before, 3, None, Reading.UNREAD)
        newest = again.revisions.get(number=3)
        assert (newest.restores.number, newest.provenance["put_back_by"]) == (1, "curator")
        assert index_differences() == (0, 0)
        assert counters(area) == recount(area)
        # They are machines' words as before: another captioner may be tried.
        server.says = lambda _asked: {**SAID, "description": "Others."}
        instruction_write(area=area, text="Once more.", terms=["hill"], by=None)
        write(area, only(area, 0))
        assert caption(area, 0).text == "Others."

    def test_many_are_put_back_by_a_job(
        self, area: Area, server: VisionServer, person: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "AT_ONCE", 2)
        cara, job = person("curator"), write(area, "")
        undoing = captioning_undo(job_id=job.pk, by=cara, background=False)
        assert isinstance(undoing, Job)
        assert captioning_undo(job_id=job.pk, by=cara) == undoing
        assert run_here(undoing.pk, lambda _job: None).done == 6
        assert origins(area) == "rrrrrr"

    def test_a_job_at_work_is_stopped_first(self, area: Area, server: VisionServer, person: Any) -> None:
        job = captioning_start(area=area, asked=Captioning(captioner="glm"), background=False)
        assert captioning_undo(job_id=job.pk, by=person("curator")) == Outcome()
        job.refresh_from_db()
        assert job.state == Job.State.CANCELLED

    def test_who_may_not(self, area: Area, server: VisionServer, person: Any) -> None:
        job = write(area, "")
        with pytest.raises(NotAllowed):
            captioning_undo(job_id=job.pk, by=person("annotator"))
        with pytest.raises(NotFound):
            captioning_undo(job_id=0, by=person("curator"))


def test_the_command_takes_a_filter(area: Area, server: VisionServer) -> None:
    out = StringIO()
    call_command("caption_area", "land", captioner="glm", among=only(area, 1, 2), stdout=out, stderr=StringIO())
    assert "2 of 2 tiles described" in out.getvalue()
    assert origins(area) == "rggrrr"
    with pytest.raises(CommandError, match="filter's origin"):
        call_command("caption_area", "land", captioner="glm", among="origin=nobody", stderr=StringIO())
