"""JSON of decisions: making one, and what was decided lately."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.api import PERSON_HEADER
from tiles.core.permissions import REVIEW_TILES, VIEW_DATA
from tiles.models import ReviewDecision
from tiles.models.choices import ReviewState
from tiles.review import selectors, services
from tiles.review.checks import NOTE_LENGTH
from tiles.review.policy import needs_second, voted_by
from tiles.review.present import decision_payload

Verb = ReviewDecision.Verb
VERBS = (Verb.APPROVE, Verb.REJECT, Verb.UNSURE, Verb.UNDO)
VERB_CHOICES = [(verb.value, verb.label) for verb in VERBS]


class CountsOut(serializers.Serializer[Any]):
    built = serializers.IntegerField()
    pending = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    unsure = serializers.IntegerField()
    second = serializers.IntegerField(help_text="Wait for a second look.")
    disputed = serializers.IntegerField(help_text="Two people disagree; wait for a third.")


class DecisionOut(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    index = serializers.IntegerField()
    verb = serializers.ChoiceField(choices=Verb.choices)
    from_state = serializers.ChoiceField(choices=ReviewState.choices)
    from_reason = serializers.CharField(allow_blank=True)
    to_state = serializers.ChoiceField(choices=ReviewState.choices)
    to_reason = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True, help_text="What the person gave.")
    note = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(help_text="The tile's version after this entry.")
    by = serializers.CharField(allow_blank=True, help_text="Empty when a rule decided.")
    at = serializers.DateTimeField()
    undoes = serializers.UUIDField(allow_null=True)
    action = serializers.UUIDField(help_text="Shared by what was decided at once; else equal to client_id.")


class DecisionAnswer(serializers.Serializer[Any]):
    decision = DecisionOut()
    yours = serializers.BooleanField(help_text="The tile waits for somebody else because of your verdict.")
    counts = CountsOut()


class DayOut(serializers.Serializer[Any]):
    verbs = serializers.DictField(child=serializers.IntegerField())
    capped = serializers.BooleanField()


class DecisionsOut(serializers.Serializer[Any]):
    items = DecisionOut(many=True)
    today = DayOut()


class DecisionIn(serializers.Serializer[Any]):
    """What the browser sends. `undoes` is the client_id of the decision that an undo takes back."""

    client_id = serializers.UUIDField()
    index = serializers.IntegerField(min_value=0)
    verb = serializers.ChoiceField(choices=VERB_CHOICES)
    reason = serializers.CharField(default="", allow_blank=True, max_length=32)
    note = serializers.CharField(default="", allow_blank=True, max_length=NOTE_LENGTH)
    seen = serializers.DictField(child=serializers.IntegerField(), required=False)
    seen_version = serializers.IntegerField(min_value=0, required=False)
    undoes = serializers.UUIDField(required=False, allow_null=True, default=None)
    past_claim = serializers.BooleanField(default=False, help_text="Though somebody else has the tile before them.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = ("undoes",) if attrs["verb"] == Verb.UNDO else ("seen", "seen_version")
        missing = {name: "This field is required." for name in wanted if attrs.get(name) is None}
        if attrs["verb"] == Verb.REJECT and not attrs["reason"]:
            missing["reason"] = "This field is required."
        if missing:
            raise serializers.ValidationError(missing)
        return attrs


class AreaDecisions(APIView):
    """Decide about a tile, or read what you decided lately."""

    @property
    def permission(self) -> str:
        return REVIEW_TILES if self.request.method == "POST" else VIEW_DATA

    @extend_schema(
        operation_id="decisions_mine",
        parameters=[OpenApiParameter("mine", OpenApiTypes.BOOL, description="Always your own, for now.")],
        responses=DecisionsOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        area = selectors.area_by_slug(slug)
        entries = selectors.decisions_of_person(by=request.user, area=area)
        day = selectors.decisions_today(by=request.user, area=area)
        return Response(
            {
                "items": [decision_payload(entry) for entry in entries],
                "today": {"verbs": day.verbs, "capped": day.capped},
            }
        )

    @extend_schema(
        operation_id="decision_make",
        description="Repeating a client_id answers with the first decision. 409 `stale` carries `current`. A page "
        f"that names its person in the header {PERSON_HEADER} gets 401 when somebody else is signed in meanwhile.",
        request=DecisionIn,
        responses={201: DecisionAnswer},
    )
    def post(self, request: Request, slug: str) -> Response:
        decision_in = DecisionIn(data=request.data)
        decision_in.is_valid(raise_exception=True)
        area = selectors.area_by_slug(slug)
        entry = _decide(area, decision_in.validated_data, request.user)
        counts = selectors.review_counts(area_id=area.pk)
        yours = needs_second(area, entry.tile.index) and voted_by(entry.tile, entry.by_id)
        return Response({"decision": decision_payload(entry), "yours": yours, "counts": counts}, status=201)


def _decide(area: Any, asked: dict[str, Any], by: Any) -> ReviewDecision:
    tile = selectors.tile_by_index(area=area, index=asked["index"])
    if asked["verb"] == Verb.UNDO:
        return services.decision_undo(tile_id=tile.pk, undoes=asked["undoes"], by=by, client_id=asked["client_id"])
    common = {
        "tile_id": tile.pk,
        "seen": asked["seen"],
        "seen_version": asked["seen_version"],
        "note": asked["note"],
        "by": by,
        "client_id": asked["client_id"],
        "past_claim": asked["past_claim"],
    }
    if asked["verb"] == Verb.REJECT:
        return services.tile_reject(reason=asked["reason"], **common)
    verdict = services.tile_approve if asked["verb"] == Verb.APPROVE else services.tile_unsure
    return verdict(**common)
