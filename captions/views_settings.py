"""The page that says what is wanted of an area's captions, with the prompt of one of its tiles as an example."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from tiles.core.errors import BadInput
from tiles.core.permissions import BUILD_AREA
from tiles.models import Area, AreaCounter
from tiles.review.selectors import area_by_slug

from .checking import captions_recheck
from .checks.languages import LANGUAGES
from .checks.lengths import CLIP_TOKENS, tokens_of
from .components import composed
from .models import Caption, CaptionSettings
from .prompts import NAMES, PRESETS, TEMPLATE_LENGTH, template_of
from .wanted import prompts_refresh, settings_of, settings_save

MOST_AT_ONCE = 2000
"""Captions that are composed and checked anew within the request; for more of them there is a command."""
_NO_PROMPT = ("second_reader",)


class CaptionSettingsForm(forms.Form):
    """As CaptionSettings; what a preset, a template or a word may be is the service's rule."""

    preset = forms.ChoiceField(
        label="Prompt",
        choices=[(preset.name, preset.label) for preset in PRESETS.values()],
        help_text="How it is composed.",
    )
    template = forms.CharField(
        label="Own template",
        required=False,
        max_length=TEMPLATE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="Instead of the preset. Components: " + ", ".join(f"{{{name}}}" for name in NAMES) + ".",
    )
    dataset = forms.CharField(
        label="Name of the dataset", required=False, help_text="As {dataset} says it; the area's name when empty."
    )
    low_limit = forms.FloatField(
        label="Low resolution up to (m a pixel)",
        min_value=1,
        help_text="What is coarser counts as ultra-low.",
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    language = forms.ChoiceField(
        choices=[(code, language.name) for code, language in LANGUAGES.items()],
        help_text="A caption in another one is found. What a caption claims is checked in English only.",
    )
    banned = forms.CharField(
        label="Banned words",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line. A star at the end bans all that begins so: <code>storm*</code>.",
    )
    second_reader = forms.BooleanField(label="A caption counts as confirmed by two people only", required=False)

    def clean_low_limit(self) -> float:
        value = float(self.cleaned_data["low_limit"])
        for validator in (MinValueValidator(1), MaxValueValidator(999_999)):
            validator(value)
        return value

    def clean_banned(self) -> list[str]:
        return [line for line in str(self.cleaned_data["banned"]).splitlines() if line.strip()]

    def clean_template(self) -> str:
        template = str(self.cleaned_data["template"]).replace("\r\n", "\n")
        try:
            template_of(preset=next(iter(PRESETS)), own=template)
        except BadInput as error:
            raise ValidationError(error.message) from error
        return template


@permission_required(BUILD_AREA, raise_exception=True)
def caption_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what is wanted of the captions, and let the captions follow."""
    area = area_by_slug(slug)
    standing = settings_of([area.pk])[area.pk]
    form = CaptionSettingsForm(request.POST or None, initial=_initial(standing))
    if request.method == "POST" and form.is_valid():
        try:
            settings_save(area=area, by=request.user, values=form.cleaned_data)
        except BadInput as error:
            form.add_error(None, error.message)
        else:
            _follow(request, area, standing, form.cleaned_data)
            return redirect("caption-settings", slug=slug)
    context = {"section": "areas", "area": area, "form": form, **_example(area, form, standing)}
    return render(request, "captions/settings.html", context)


@require_safe
@permission_required(BUILD_AREA, raise_exception=True)
def prompt_example(request: HttpRequest, slug: str) -> HttpResponse:
    """The example as the form stands, unsaved."""
    area = area_by_slug(slug)
    form = CaptionSettingsForm(request.GET)
    standing = settings_of([area.pk])[area.pk]
    return render(request, "captions/_prompt_example.html", {"area": area, **_example(area, form, standing)})


def _initial(standing: CaptionSettings) -> dict[str, Any]:
    values = {name: getattr(standing, name) for name in CaptionSettingsForm.base_fields}
    return values | {"banned": "\n".join(standing.banned)}


def _example(area: Area, form: CaptionSettingsForm, standing: CaptionSettings) -> dict[str, Any]:
    """The prompt of the first captioned tile as the form says, its tokens, or why there is none."""
    caption = Caption.objects.filter(area=area).select_related("tile__area").order_by("pk").first()
    if caption is None:
        return {"example": None}
    if form.is_bound and not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        where = form.fields[name].label or name if name in form.fields else ""
        return {"example": caption, "problem": f"{where}: {errors[0]}" if where else errors[0]}
    for name, value in form.cleaned_data.items() if form.is_bound else ():
        setattr(standing, name, value)
    prompt = composed(text=caption.text, components=caption.components, tile=caption.tile, wanted=standing)
    tokens, exact = tokens_of(prompt)
    return {"example": caption, "prompt": prompt, "tokens": tokens, "exact": exact, "most_tokens": CLIP_TOKENS}


def _follow(request: HttpRequest, area: Area, before: CaptionSettings, values: dict[str, Any]) -> None:
    """Compose and check the captions anew where that is quick; else say how."""
    changed = [name for name, value in values.items() if value != getattr(before, name) and name not in _NO_PROMPT]
    captions = AreaCounter.objects.filter(area=area, name="captioned").values_list("value", flat=True).first() or 0
    if not changed or not captions:
        messages.success(request, "Saved.")
    elif captions <= MOST_AT_ONCE:
        prompts_refresh(area=area)
        captions_recheck(area=area)
        messages.success(request, f"Saved. The prompts of {captions:,} captions follow, and they were checked anew.")
    else:
        command = f"manage.py check_captions {area.slug}"
        messages.warning(
            request, f"Saved for what is written from now on. For the {captions:,} captions run {command}."
        )
