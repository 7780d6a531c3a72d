"""The description of the JSON interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_has_no_warning(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))
    assert "operationId: decision_make" in (tmp_path / "schema.yml").read_text()


def test_the_schema_says_how_one_signs_in(signed_in: Any) -> None:
    document = signed_in("viewer").get("/api/v1/schema/?format=json").json()
    assert document["components"]["securitySchemes"] == {
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}
    }
