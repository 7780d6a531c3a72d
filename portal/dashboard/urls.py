"""Addresses of what spans the whole dataset."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api, jobs, views
from .schema import ApiDocs, ApiSchema

urlpatterns: list[URLPattern] = [
    path("", views.dashboard, name="dashboard"),
    path("review/", views.review_start, name="review-start"),
    path("help/", views.guide, name="help"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/rows/", jobs.jobs_rows, name="job-rows"),
    path("jobs/<int:job_id>/", jobs.job, name="job"),
    path("jobs/<int:job_id>/progress/", jobs.job_progress_part, name="job-progress"),
    path("jobs/<int:job_id>/pause/", jobs.pause, name="job-pause"),
    path("jobs/<int:job_id>/resume/", jobs.resume, name="job-resume"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel, name="job-cancel"),
    path("jobs/<int:job_id>/retry/", jobs.retry, name="job-retry"),
]

api_urlpatterns: list[URLPattern] = [
    path("schema/", ApiSchema.as_view(), name="api-schema"),
    path("docs/", ApiDocs.as_view(), name="api-docs"),
    path("jobs/", api.Jobs.as_view(), name="api-jobs"),
    path("jobs/<int:job_id>/", api.JobDetail.as_view(), name="api-job"),
]
