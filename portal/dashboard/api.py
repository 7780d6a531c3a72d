"""JSON of jobs: the list, and how far one is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.paging import keyset_page
from tiles.core.permissions import VIEW_DATA
from tiles.jobs.selectors import job_chunk_times, job_failures, job_log, job_progress, jobs_listed
from tiles.models import Job, JobEvent

from .filters import JobFilter
from .jobs import PAGE_SIZE, job_shown


class JobOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    area = serializers.CharField(allow_null=True, help_text="Its slug.")
    state = serializers.ChoiceField(choices=Job.State.choices)
    error = serializers.CharField(allow_blank=True, help_text="Why the whole job failed or paused.")
    waits_for_room = serializers.BooleanField(help_text="A full disk paused it: it goes on by itself.")
    total = serializers.IntegerField(help_text="Steps in all; 0 while unknown.")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    share = serializers.FloatField(help_text="0 to 1.")
    rate = serializers.FloatField(allow_null=True, help_text="Steps a second lately.")
    seconds_left = serializers.FloatField(allow_null=True)
    started_by = serializers.CharField(allow_null=True, help_text="Null for the command line.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True, help_text="Set when nobody is at work on it any more.")


class JobsOut(serializers.Serializer[Any]):
    items = JobOut(many=True)
    before = serializers.CharField(allow_blank=True, help_text="Cursor of the page of newer ones; empty on the first.")
    after = serializers.CharField(allow_blank=True, help_text="Cursor of the page of older ones; empty on the last.")


class FailureOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    number = serializers.IntegerField()
    example = serializers.CharField(allow_blank=True)


class LineOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=JobEvent.Level.choices)
    message = serializers.CharField()


class ChunkTimesOut(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="How many are looked at: those that ended last.")
    median = serializers.FloatField(help_text="Seconds.")
    slowest = serializers.FloatField(help_text="Seconds.")


class JobDetailOut(JobOut):
    chunks = ChunkTimesOut(allow_null=True, help_text="How long its chunks took; null before one has ended.")
    failures = FailureOut(many=True)
    log = LineOut(many=True, help_text="The last lines, the newest first.")


class Jobs(APIView):
    """Jobs, newest first."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="jobs_list",
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=Job.State.values),
            OpenApiParameter("after", OpenApiTypes.STR, description="Cursor of an earlier answer."),
            OpenApiParameter("before", OpenApiTypes.STR, description="Cursor of an earlier answer."),
        ],
        responses=JobsOut,
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        rows = JobFilter(asked, queryset=jobs_listed()).checked()
        page = keyset_page(
            rows, order=("-id",), size=PAGE_SIZE, after=asked.get("after", ""), before=asked.get("before", "")
        )
        items = [_payload(job) for job in page.rows]
        return Response(JobsOut({"items": items, "before": page.before, "after": page.after}).data)


class JobDetail(APIView):
    """How far one job is, what failed, and its log."""

    permission = VIEW_DATA

    @extend_schema(operation_id="job_read", responses=JobDetailOut)
    def get(self, request: Request, job_id: int) -> Response:
        job = job_shown(job_id)
        return Response(
            JobDetailOut(
                {
                    **_payload(job),
                    "chunks": job_chunk_times(job),
                    "failures": job_failures(job),
                    "log": job_log(job),
                }
            ).data
        )


def _payload(job: Job) -> dict[str, Any]:
    progress = job_progress(job)
    return {
        "id": job.pk,
        "kind": job.kind,
        "title": job.title,
        "area": job.area.slug if job.area else None,
        "state": job.state,
        "error": job.error,
        "waits_for_room": job.waits_for_room,
        "total": progress.total,
        "done": progress.done,
        "failed": progress.failed,
        "share": progress.share,
        "rate": progress.rate,
        "seconds_left": progress.seconds_left,
        "started_by": job.started_by.shown_name if job.started_by else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
