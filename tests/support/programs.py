"""Other people's programs, as a second opinion."""

from __future__ import annotations

import shutil

import pytest


def program(name: str) -> str:
    """The path of a program; skips the test where it is not installed."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")
