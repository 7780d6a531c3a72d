"""How good the review is: agreement with the score and between people, blind rounds, pace."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from tiles.core.errors import BadInput, Conflict, NotAllowed
from tiles.core.permissions import BUILD_AREA, REVIEW_TILES, VIEW_DATA
from tiles.models import Area, BlindRound
from tiles.review import agreement as agreeing
from tiles.review import blind, blinded, selectors
from tiles.review.marked import people_to_assign
from tiles.review.pace import DAYS, PAUSE, Pace, pace_report
from tiles.review.present import reasons_of

from .charts import HEIGHT, LEFT, RIGHT, WIDTH, count_bars, count_ticks, curve, share_bars, share_ticks
from .review import colour_tables

AREA_OF_CHART = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT}
ROUND_SIZE = 50


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """How the reviewers' decisions agree with the score, and with each other."""
    area = selectors.area_by_slug(slug)
    score = agreeing.score_agreement(area=area)
    steps = [(f"{step.low:.1f}", step.rejected.value, step.rejected.low, step.rejected.high) for step in score.steps]
    context = {
        **_frame(area, "agreement"),
        "score": score,
        "people": agreeing.people_agreement(area=area),
        "bars": share_bars(steps),
        "ticks": share_ticks(),
        "curve": curve(score.curve),
        "chance": curve([(0, 0), (1, 1)]),
        "sample": agreeing.SAMPLE,
    }
    return render(request, "tiles/agreement.html", context)


@require_safe
@permission_required(REVIEW_TILES, raise_exception=True)
def pace(request: HttpRequest, slug: str) -> HttpResponse:
    """How much people decide and how fast: everybody for a curator, oneself for a reviewer."""
    area = selectors.area_by_slug(slug)
    everybody = request.user.has_perm(BUILD_AREA)
    report = pace_report(area=area, by=None if everybody else request.user)
    most = max((number for person in report.people for _day, number in person.by_day), default=1)
    context = {
        **_frame(area, "pace"),
        "everybody": everybody,
        "report": report,
        "people": [_drawn(person, most) for person in report.people],
        "days": DAYS,
        "pause": PAUSE.seconds // 60,
    }
    return render(request, "tiles/pace.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(REVIEW_TILES, raise_exception=True)
def blind_rounds(request: HttpRequest, slug: str) -> HttpResponse:
    """The blind rounds of an area, and a form that starts one."""
    area = selectors.area_by_slug(slug)
    asked, problem = request.POST, ""
    if request.method == "POST":
        try:
            made = _start(area, request)
        except (BadInput, Conflict) as error:
            problem = error.message
        else:
            messages.success(request, f"Blind round {made.pk} is put before {_names(made)}.")
            return redirect("blind-rounds", slug=area.slug)
    user: Any = request.user
    rounds = blinded.rounds_listed(area=area, by=user)
    context = {
        **_frame(area, "blind"),
        "rounds": [(made, user in made.reviewers.all(), _names(made)) for made in rounds],
        "reviewers": people_to_assign() if user.has_perm(BUILD_AREA) else [],
        "chosen": asked.getlist("reviewers"),
        "size": asked.get("size", ROUND_SIZE),
        "seed": asked.get("seed", "1"),
        "most": blind.MOST_TILES,
        "client_id": asked.get("client_id") or uuid4(),
        "problem": problem,
    }
    return render(request, "tiles/blind_rounds.html", context, status=400 if problem else 200)


@require_safe
@permission_required(REVIEW_TILES, raise_exception=True)
def blind_round(request: HttpRequest, slug: str, round_id: int) -> HttpResponse:
    """What came of a round: all of it for a curator; one's own part for a reviewer who has judged everything."""
    made = blind.round_of(area=selectors.area_by_slug(slug), round_id=round_id)
    result = blinded.round_result(blind_round=made)
    curator = request.user.has_perm(BUILD_AREA)
    if not curator:
        blind.require_reviewer(blind_round=made, by=request.user)
    shown = [each for each in result.reviewers if curator or each.person == request.user]
    context = {
        **_frame(made.area, "blind"),
        "round": made,
        "result": result,
        "reviewers": shown,
        "curator": curator,
        "open": curator or all(each.done for each in shown),
        "mine": next((each for each in shown if each.person == request.user), None),
    }
    return render(request, "tiles/blind_round.html", context)


@require_GET
@ensure_csrf_cookie
@permission_required(REVIEW_TILES, raise_exception=True)
def blind_judge(request: HttpRequest, slug: str, round_id: int) -> HttpResponse:
    """Judge the tiles of a round, one by one, by the keys of the review page."""
    made = blind.round_of(area=selectors.area_by_slug(slug), round_id=round_id)
    blind.require_reviewer(blind_round=made, by=request.user)
    user: Any = request.user
    page = {
        "person": user.pk,
        "urls": {
            "answers": reverse("api-blind-answers", args=[made.area.slug, made.pk]),
            "result": reverse("blind-round", args=[made.area.slug, made.pk]),
            "preferences": reverse("api-preferences"),
        },
        "first": blinded.tiles_to_answer(blind_round=made, by=user),
        "answered": blinded.answered_by(blind_round=made, by=user),
        "size": made.tiles.count(),
        "reasons": [reason._asdict() for reason in reasons_of(made.area)],
        "tables": colour_tables(),
        "heights": selectors.height_range(area_id=made.area.pk),
        "preferences": user.preferences,
    }
    context = {"section": "review", "area": made.area, "round": made, "page": page, "reasons": reasons_of(made.area)}
    return render(request, "tiles/blind_judge.html", context)


def _frame(area: Area, part: str) -> dict[str, Any]:
    return {"section": "areas", "area": area, "part": part, "chart": AREA_OF_CHART}


def _names(made: BlindRound) -> str:
    return ", ".join(person.shown_name for person in made.reviewers.all())


def _start(area: Area, request: HttpRequest) -> BlindRound:
    if not request.user.has_perm(BUILD_AREA):
        raise NotAllowed("Only a curator starts a blind round.")
    asked = request.POST
    try:
        numbers = {"size": int(asked.get("size", "")), "seed": int(asked.get("seed", ""))}
        reviewers = [int(key) for key in asked.getlist("reviewers")]
        client_id = UUID(asked.get("client_id", ""))
    except ValueError as error:
        raise BadInput("Give a number of tiles and a seed, both whole numbers.") from error
    return blind.blind_round_start(area=area, reviewers=reviewers, by=request.user, client_id=client_id, **numbers)


def _drawn(person: Pace, most: int) -> dict[str, Any]:
    """With a chart on the scale that everybody's has."""
    labels = [(f"{day.day}" if place % 3 == 1 else "", number) for place, (day, number) in enumerate(person.by_day)]
    return {"pace": person, "bars": count_bars(labels, most), "ticks": count_ticks(most)}
