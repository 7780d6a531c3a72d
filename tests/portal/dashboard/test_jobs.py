"""Pages and JSON of jobs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.factories import make_area
from tests.support.jobs_app.kinds import Writing, writing_start
from tiles.jobs.registry import register
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.services import job_cancel, job_start
from tiles.models import Job, TilePair
from tiles.models.choices import BuildState, Failure

pytestmark = pytest.mark.django_db
register(Writing())

SignIn = Callable[[str], Client]


@pytest.fixture
def job(data_folder: Path) -> Job:
    return writing_start(chunks=2, steps=2, background=False)


@pytest.fixture
def running(job: Job) -> Job:
    """A job of ten steps, of which four are done and one failed."""
    area = make_area()
    TilePair.objects.create(
        area=area,
        index=7,
        build_state=BuildState.FAILED,
        failure=Failure.NOT_COVERED,
        failure_detail="3 % of it has no imagery.",
    )
    seconds_ago = timezone.now().timestamp() - 10
    Job.objects.filter(pk=job.pk).update(
        area=area,
        state=Job.State.RUNNING,
        started_at=timezone.now() - timedelta(seconds=10),
        total=10,
        done=4,
        failed=1,
        failures={"not_covered": 1},
        pace={"start": [seconds_ago, 0], "middle": [seconds_ago, 0]},
    )
    job.refresh_from_db()
    return job


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_empty_list_says_what_to_do(signed_in: SignIn) -> None:
    assert "No jobs yet" in text(signed_in("viewer"), "/jobs/")
    assert "A curator has to start one" in text(signed_in("viewer"), "/jobs/")
    assert "A curator has to start one" not in text(signed_in("curator"), "/jobs/")


def test_the_list_shows_and_filters(signed_in: SignIn, running: Job) -> None:
    done = writing_start(chunks=1, steps=1, background=False)
    run_here(done.pk, lambda _job: None)
    viewer = signed_in("viewer")
    assert f'href="/jobs/{running.pk}/"' in text(viewer, "/jobs/")
    assert f'href="/jobs/{done.pk}/"' in text(viewer, "/jobs/")
    only_done = text(viewer, "/jobs/?state=done")
    assert f'href="/jobs/{done.pk}/"' in only_done
    assert f'href="/jobs/{running.pk}/"' not in only_done
    assert "No job is in this state" in text(viewer, "/jobs/?state=paused")
    assert viewer.get("/jobs/?state=nonsense").status_code == 400
    assert viewer.get("/jobs/?after=nonsense").status_code == 400


def test_the_list_is_paged_and_its_cost_does_not_grow(
    signed_in: SignIn, data_folder: Path, django_assert_max_num_queries: Any
) -> None:
    for number in range(120):
        job_start(kind=Writing.name, title=f"Job no. {number};", subject="", chunks=[], background=False)
    viewer = signed_in("viewer")
    seen: list[str] = []
    cursor = ""
    for _page in range(3):
        with django_assert_max_num_queries(8):
            items = viewer.get(f"/api/v1/jobs/?state=done&after={cursor}").json()
        seen += [item["title"] for item in items["items"]]
        cursor = items["after"]
    assert cursor == ""
    assert seen == [f"Job no. {number};" for number in reversed(range(120))]
    with django_assert_max_num_queries(12):
        page = text(viewer, "/jobs/?state=done")
    assert "Job no. 119;" in page
    assert "Job no. 69;" not in page
    older = page.partition("after=")[2].partition('"')[0]
    second = text(viewer, f"/jobs/?state=done&after={older}")
    assert "Job no. 69;" in second
    assert "Job no. 119;" not in second
    assert "Newer" in second


def test_the_page_shows_how_far_a_job_is(signed_in: SignIn, running: Job) -> None:
    page = text(signed_in("viewer"), f"/jobs/{running.pk}/")
    for part in (
        "<h1>Writing</h1>",
        "4 done",
        "1 failed",
        "5 left of 10",
        'aria-valuenow="50"',
        "Not covered by the imagery",
        "tile_7: 3 % of it has no imagery.",
        'href="/areas/testland/#failures"',
        "Started by the command line.",
    ):
        assert part in page, part
    assert re.search(r"about \d+ s left", page)


def test_the_part_that_moves_asks_again_until_the_job_is_over(signed_in: SignIn, running: Job) -> None:
    viewer = signed_in("viewer")
    path = f"/jobs/{running.pk}/progress/?shown=running"
    assert f'hx-get="{path}" hx-trigger="every 1500ms"' in text(viewer, f"/jobs/{running.pk}/")
    answer = viewer.get(path)
    assert "4 done" in answer.content.decode()
    assert 'hx-swap-oob="true"' in answer.content.decode()
    assert "HX-Refresh" not in answer
    assert viewer.get(f"/jobs/{running.pk}/progress/?shown=queued")["HX-Refresh"] == "true"
    job_cancel(job_id=running.pk, by=None)
    over = viewer.get(path)
    assert over["HX-Refresh"] == "true"
    assert "hx-trigger" not in over.content.decode()
    assert "hx-trigger" not in text(viewer, f"/jobs/{running.pk}/")


def test_a_cancelled_job_is_stopping_while_somebody_is_at_work(signed_in: SignIn, job: Job) -> None:
    lease = chunk_lease()
    assert lease
    job_cancel(job_id=job.pk, by=None)
    viewer = signed_in("viewer")
    assert "Stopping" in text(viewer, f"/jobs/{job.pk}/")
    chunk_run(lease)
    assert "Stopping" not in text(viewer, f"/jobs/{job.pk}/")
    assert "Cancelled" in text(viewer, f"/jobs/{job.pk}/")


def test_a_job_that_nobody_takes_asks_for_a_worker(signed_in: SignIn, job: Job) -> None:
    viewer = signed_in("viewer")
    assert "manage.py worker" not in text(viewer, f"/jobs/{job.pk}/")
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert "manage.py worker" in text(viewer, f"/jobs/{job.pk}/")


def test_buttons_do_what_they_say(signed_in: SignIn, job: Job) -> None:
    curator = signed_in("curator")
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert f'action="/jobs/{job.pk}/{action}/"' in text(curator, f"/jobs/{job.pk}/")
        answer = curator.post(f"/jobs/{job.pk}/{action}/")
        assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
        job.refresh_from_db()
        assert job.state == state
    assert "/cancel/" not in text(curator, f"/jobs/{job.pk}/")


def test_a_button_that_comes_too_late_says_so(signed_in: SignIn, job: Job) -> None:
    job_cancel(job_id=job.pk, by=None)
    answer = signed_in("curator").post(f"/jobs/{job.pk}/pause/", follow=True)
    assert "This job is cancelled: that cannot be done now." in answer.content.decode()


def test_only_curators_have_buttons(signed_in: SignIn, job: Job) -> None:
    reviewer = signed_in("reviewer")
    page = text(reviewer, f"/jobs/{job.pk}/")
    for action in ("pause", "resume", "cancel"):
        assert f"/{action}/" not in page
        assert reviewer.post(f"/jobs/{job.pk}/{action}/").status_code == 403
        assert signed_in("curator").get(f"/jobs/{job.pk}/{action}/").status_code == 405
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED


def test_why_a_job_failed_is_shown(signed_in: SignIn, data_folder: Path) -> None:
    failed = writing_start(chunks=1, steps=1, bad_input=0, background=False)
    run_here(failed.pk, lambda _job: None)
    page = text(signed_in("viewer"), f"/jobs/{failed.pk}/")
    assert '<p class="message error">The input is bad. Mend it.</p>' in page
    assert "<strong>Error:</strong> The input is bad. Mend it." in page


def test_json_of_one_job(signed_in: SignIn, running: Job) -> None:
    answer = signed_in("viewer").get(f"/api/v1/jobs/{running.pk}/").json()
    assert answer["state"] == "running"
    assert (answer["total"], answer["done"], answer["failed"], answer["share"]) == (10, 4, 1, 0.5)
    assert answer["area"] == "testland"
    assert answer["seconds_left"] == pytest.approx(5 / answer["rate"])
    assert answer["failures"] == [
        {
            "code": "not_covered",
            "label": "Not covered by the imagery",
            "number": 1,
            "example": "tile_7: 3 % of it has no imagery.",
        }
    ]
    assert [line["message"] for line in answer["log"]] == ["Started by the command line."]
    assert answer["chunks"] is None


def test_how_long_chunks_take_is_shown_once_they_have_ended(signed_in: SignIn, job: Job) -> None:
    viewer = signed_in("viewer")
    assert "of work ended" not in text(viewer, f"/jobs/{job.pk}/")
    run_here(job.pk, lambda _job: None)
    chunks = viewer.get(f"/api/v1/jobs/{job.pk}/").json()["chunks"]
    assert chunks["number"] == job.chunks.count() > 1
    assert f"{chunks['number']} chunks of work ended: median " in text(viewer, f"/jobs/{job.pk}/")
    assert 0 < chunks["median"] <= chunks["slowest"]


def test_a_job_that_is_not_there(signed_in: SignIn) -> None:
    viewer = signed_in("viewer")
    for path in ("/jobs/99/", "/jobs/99/progress/", "/api/v1/jobs/99/"):
        assert viewer.get(path).status_code == 404, path
    assert viewer.get("/api/v1/jobs/99/").json()["code"] == "not_found"
    assert signed_in("curator").post("/jobs/99/cancel/").status_code == 404


def test_the_list_moves_while_something_runs_and_then_rests(signed_in: SignIn, running: Job) -> None:
    viewer = signed_in("viewer")
    poll = 'hx-get="/jobs/rows/?state=&amp;after=&amp;before=" hx-trigger="every 2s"'
    page = text(viewer, "/jobs/")
    assert poll in page
    assert re.search(r"about \d+ s", page)
    Job.objects.filter(pk=running.pk).update(done=8)
    rows = text(viewer, "/jobs/rows/")
    assert rows.count("<tr>") == 1
    assert 'data-label="Done">8</td>' in rows
    assert poll in rows
    assert "<html" not in rows
    Job.objects.filter(pk=running.pk).update(state=Job.State.PAUSED)
    assert "hx-trigger" not in text(viewer, "/jobs/"), "a person has to do something first"
    Job.objects.filter(pk=running.pk).update(room_wanted=0)
    assert "hx-trigger" in text(viewer, "/jobs/"), "it may go on by itself"
    Job.objects.filter(pk=running.pk).update(state=Job.State.DONE, finished_at=timezone.now())
    assert "hx-trigger" not in text(viewer, "/jobs/rows/")


def test_the_rows_that_move_are_those_of_the_page_and_the_filter(
    signed_in: SignIn, job: Job, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        job_start(kind=Writing.name, title=f"Job no. {number};", subject="", chunks=[{}], background=False)
    viewer = signed_in("viewer")
    older = text(viewer, "/jobs/?state=queued").partition("after=")[2]
    address = text(viewer, f"/jobs/?state=queued&after={cursor_in(older)}").partition('hx-get="')[2].partition('"')[0]
    with django_assert_max_num_queries(8):
        rows = text(viewer, address.replace("&amp;", "&"))
    assert "Job no. 9;" in rows
    assert "Job no. 10;" not in rows
    assert "No job is in this state any more" in text(viewer, "/jobs/rows/?state=done")
    assert viewer.get("/jobs/rows/?state=nonsense").status_code == 400


def cursor_in(page: str) -> str:
    """The cursor of the link to older jobs; the rows' own address comes first, with an empty one."""
    return page.partition("after=")[2].partition('"')[0]


def test_a_job_that_waits_for_room_says_that_it_goes_on_by_itself(signed_in: SignIn, running: Job) -> None:
    Job.objects.filter(pk=running.pk).update(state=Job.State.PAUSED, room_wanted=0, error="The disk is full.")
    viewer, curator = signed_in("viewer"), signed_in("curator")
    page = text(curator, f"/jobs/{running.pk}/")
    assert "Waiting for room on the disk" in page
    assert "goes on by itself when there is room" in page
    assert f'action="/jobs/{running.pk}/resume/"' in page
    assert viewer.get(f"/api/v1/jobs/{running.pk}/").json()["waits_for_room"] is True
    curator.post(f"/jobs/{running.pk}/resume/")
    running.refresh_from_db()
    assert (running.state, running.room_wanted) == (Job.State.RUNNING, None)
    assert viewer.get(f"/api/v1/jobs/{running.pk}/").json()["waits_for_room"] is False
