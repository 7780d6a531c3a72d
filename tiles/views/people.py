"""Who reviews an area, and by which rules: policy, ranges, who is at work."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import BadInput, NotFound
from tiles.core.permissions import BUILD_AREA, REVIEW_TILES, VIEW_DATA
from tiles.models import Area
from tiles.models.choices import Policy
from tiles.review import selectors
from tiles.review.assign import HIGHEST, assignments_listed, range_assign, range_take_back
from tiles.review.claims import claims_shown
from tiles.review.policy import policy_set
from tiles.review.queue_log import CLAIMS, RULES, area_policy_words, claims_words, queue_log

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


class PolicyForm(forms.ModelForm):
    """How many people it takes to settle a tile."""

    class Meta:
        model = Area
        fields = ("policy", "second_look_percent", "second_look_seed")
        labels = {
            "policy": "Who settles a tile",
            "second_look_percent": "Sample (percent)",
            "second_look_seed": "Seed of the sample",
        }
        widgets = {"policy": forms.RadioSelect}


class AssignForm(forms.Form):
    """A range of numbers, and whose it is."""

    person: Any = forms.ModelChoiceField(queryset=None, label="Person", empty_label="Choose …")
    first = forms.IntegerField(min_value=0, max_value=HIGHEST, label="From tile")
    last = forms.IntegerField(min_value=0, max_value=HIGHEST, label="To tile")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = get_user_model().objects
        person: Any = self.fields["person"]
        person.queryset = people.with_perm(REVIEW_TILES, backend=MODEL_BACKEND).order_by("username")


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Ranges with how far they are, who is at work just now, and what was changed lately."""
    return _people(request, selectors.area_by_slug(slug), AssignForm())


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a person a range."""
    area = selectors.area_by_slug(slug)
    form = AssignForm(request.POST)
    if form.is_valid():
        try:
            made = range_assign(area=area, by=request.user, **form.cleaned_data)
        except BadInput as error:
            form.add_error(error.extra.get("field"), error.message)
        else:
            messages.success(request, f"Tiles {made.first} to {made.last} are {made.person}'s to review.")
            return redirect("area-people", slug=slug)
    return _people(request, area, form)


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def take_back(request: HttpRequest, slug: str, assignment_id: int) -> HttpResponse:
    """End an assignment."""
    try:
        range_take_back(area=selectors.area_by_slug(slug), assignment_id=assignment_id, by=request.user)
    except NotFound as error:
        messages.warning(request, error.message)
    return redirect("area-people", slug=slug)


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Change how many people it takes to settle a tile, from the settings of the area."""
    area = selectors.area_by_slug(slug)
    form = PolicyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The policy was not changed: choose one, a percentage of 1 to 100, and a seed.")
        return redirect("area-settings", slug=slug)
    changed = policy_set(
        area_id=area.pk,
        policy=form.cleaned_data["policy"],
        percent=form.cleaned_data["second_look_percent"],
        seed=form.cleaned_data["second_look_seed"],
        by=request.user,
    )
    messages.success(request, f"From now on: {area_policy_words(changed)}.")
    return redirect("area-people", slug=slug)


def _people(request: HttpRequest, area: Area, form: AssignForm) -> HttpResponse:
    context = {
        "section": "areas",
        "area": area,
        "policy": area_policy_words(area),
        "second_looks": area.policy != Policy.ONE,
        "counts": selectors.review_counts(area_id=area.pk),
        "rows": [_row(each) for each in assignments_listed(area=area)],
        "looking": claims_words(claims_shown(area=area)),
        "rules": queue_log(area=area, kinds=RULES),
        "claims": queue_log(area=area, kinds=CLAIMS),
        "form": form,
    }
    return render(request, "tiles/people.html", context, status=400 if form.errors else 200)


def _row(assignment: Any) -> dict[str, Any]:
    """A range as the table shows it; numbers beyond the limit of counting end with a plus."""
    built, left = assignment.built, assignment.left
    done = max(0, built - left)
    return {
        "assignment": assignment,
        "left": _capped(left),
        "built": _capped(built),
        "percent": 100 * done / built if built else 0,
        "known": built <= selectors.COUNT_LIMIT,
    }


def _capped(number: int) -> str:
    limit = selectors.COUNT_LIMIT
    return f"{limit:,}+" if number > limit else f"{number:,}"
