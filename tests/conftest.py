"""What every test needs: a data folder of its own, people of every role, real sample data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.support.fixtures", "tests.support.disk"]

# No test measures time: a busy machine is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

SAMPLE_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """Hashing a password is slow on purpose; tests make hundreds of people."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
