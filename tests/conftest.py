"""What every test needs: a data folder of its own, people of every role, real sample data."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before the settings are read: no test may touch a developer's data folder.
_SESSION = tempfile.TemporaryDirectory(prefix="demeter-test-")
os.environ["DEMETER_DATA"] = _SESSION.name
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("STATIC_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")
os.environ["DEMETER_MIN_FREE"] = "1000000"
os.environ["DEMETER_WORKERS"] = "2"

SAMPLE_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture
def data_folder(tmp_path: Path, settings: object) -> Path:
    """An empty DEMETER_DATA for this test alone."""
    folder = tmp_path / "data"
    folder.mkdir()
    settings.DEMETER_DATA = folder  # type: ignore[attr-defined]
    return folder


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder of real DEMs and imagery."""
    if not SAMPLE_DATA.is_dir():
        pytest.skip("the real sample data is not beside the checkout")
    return SAMPLE_DATA


@pytest.fixture
def person(db: None) -> Callable[..., object]:
    """`person("reviewer")` makes and returns a user of that role."""
    from portal.accounts.services import user_create

    made: dict[str, object] = {}

    def make(role: str, name: str = "") -> object:
        name = name or role
        if name not in made:
            made[name] = user_create(username=name, password=f"{name}-pass-word-9", role=role)
        return made[name]

    return make


@pytest.fixture
def signed_in(person: Callable[..., object]) -> Callable[..., object]:
    """`signed_in("curator")` is a Django test client signed in as that role."""
    from django.test import Client

    def sign_in(role: str, name: str = "") -> Client:
        client = Client()
        client.force_login(person(role, name), backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
        return client

    return sign_in


@pytest.fixture(scope="session", autouse=True)
def _remove_session_folder() -> Iterator[None]:
    yield
    _SESSION.cleanup()
