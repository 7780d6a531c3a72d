"""The questions of the pages on which captioners are let to write."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from django import forms

from .captioners import captioner_names
from .captioners.base import Guide
from .writing.options import Budget, Captioning

SHOWN_WORDS = 90


class BudgetForm(forms.Form):
    """What a captioning may spend."""

    budget_tokens = forms.IntegerField(
        label="Budget in tokens", min_value=1, required=False, help_text="The job pauses when they are spent."
    )
    budget_money = forms.FloatField(
        label="Budget in money", min_value=0, required=False, help_text="At the prices that are configured."
    )

    def budget(self) -> Budget:
        return Budget(tokens=self.cleaned_data["budget_tokens"] or 0, money=self.cleaned_data["budget_money"] or 0.0)


class WriteForm(BudgetForm):
    """Which captioner, told what, and how far it may go."""

    captioner = forms.ChoiceField(label="Captioner")
    text = forms.CharField(
        label="Instruction",
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="A change makes a new version; captions name the one they followed.",
    )
    terms = forms.CharField(
        label="Terms that an answer may choose from",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Separated by commas.",
    )
    make_captions = forms.ChoiceField(
        label="What becomes of the texts",
        choices=[
            ("yes", "They become the captions, where no person wrote, restored or accepted one"),
            ("no", "They are only proposed, to be compared"),
        ],
        widget=forms.RadioSelect,
        initial="yes",
    )
    only_missing = forms.BooleanField(
        label="Only tiles of which this captioner has said nothing yet", required=False, initial=False
    )
    limit = forms.IntegerField(label="Tiles at most", min_value=1, required=False)

    def __init__(self, *args: Any, guide: Guide, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_captioners(self.fields["captioner"])
        self.fields["text"].initial = guide.text
        self.fields["terms"].initial = ", ".join(guide.terms)

    def term_list(self) -> list[str]:
        return str(self.cleaned_data["terms"]).replace("\n", ",").split(",")

    def asked(self, *, trial: bool) -> Captioning:
        given = self.cleaned_data
        return Captioning(
            captioner=given["captioner"],
            make_captions=given["make_captions"] == "yes",
            only_missing=given["only_missing"],
            limit=0 if trial else given["limit"] or 0,
            trial=trial,
        )


class RecaptionForm(BudgetForm):
    """Which captioner describes a selection anew, told which version of the area's instruction."""

    captioner = forms.ChoiceField(label="Captioner")
    instruction = forms.TypedChoiceField(
        label="Instruction", coerce=int, help_text="A new version is written on the page of the whole area."
    )

    def __init__(self, *args: Any, versions: Sequence[Guide], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer_captioners(self.fields["captioner"])
        offered = self.fields["instruction"]
        if isinstance(offered, forms.ChoiceField):
            offered.choices = [(guide.number, _version_words(guide)) for guide in versions]

    def asked(self, *, among: str, trial: bool) -> Captioning:
        given = self.cleaned_data
        return Captioning(captioner=given["captioner"], instruction=given["instruction"], trial=trial, among=among)


def _offer_captioners(field: forms.Field) -> None:
    if isinstance(field, forms.ChoiceField):
        field.choices = [(name, name) for name in captioner_names()]
        # A model, where there is one: `rules` has written for every tile already.
        field.initial = field.choices[min(1, len(field.choices) - 1)][0]


def _version_words(guide: Guide) -> str:
    """As in "Version 3: Describe this satellite image …"."""
    name = f"Version {guide.number}" if guide.number else "The usual one"
    return f"{name}: {shorten(guide.text, SHOWN_WORDS, placeholder=' …')}"
