"""What differs per machine comes from the environment; secrets are made once and only read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PRINT_KEY = "from django.conf import settings; print(settings.SECRET_KEY)"


def run(arguments: list[str], data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python as on a fresh machine: nothing of ours in the environment but `variables`."""
    ours = ("DEMETER", "SECRET", "DATABASE_URL", "STATIC", "DJANGO", "DEBUG", "REDIS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {**clean, "DEMETER_DATA": str(data), "DJANGO_SETTINGS_MODULE": "portal.settings", **variables}
    return subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120
    )


def test_migrate_makes_the_key_and_everybody_else_reads_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(["manage.py", "migrate", "-v0"], data).returncode == 0
    path = data / "secret-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = path.read_text()
    assert len(key) >= 50
    assert run(["-c", PRINT_KEY], data).stdout.strip() == key
    assert run(["manage.py", "migrate", "-v0"], data).returncode == 0
    assert path.read_text() == key
    assert [found.name for found in data.iterdir() if ".tmp-" in found.name] == []


def test_two_first_starts_agree_on_one_key(tmp_path: Path) -> None:
    make = (
        "import django; django.setup(); from portal.accounts.secret import data_folder_ensure; data_folder_ensure();"
        + PRINT_KEY
    )
    environment = {**os.environ, "DEMETER_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    for name in ("SECRET_KEY", "DATABASE_URL"):
        environment.pop(name, None)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", make], cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    keys = {process.communicate(timeout=120)[0].strip() for process in both}
    assert keys == {(tmp_path / "secret-key").read_text()}


def test_a_given_key_wins_and_no_file_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(["manage.py", "migrate", "-v0"], data, SECRET_KEY="given").returncode == 0
    assert not (data / "secret-key").exists()


@pytest.mark.parametrize(
    "variables",
    [{"DATABASE_URL": "postgres://a:b@127.0.0.1:1/c"}, {"REDIS_URL": "redis://127.0.0.1:1"}],
    ids=["postgres", "redis"],
)
def test_shared_services_need_a_shared_key(tmp_path: Path, variables: dict[str, str]) -> None:
    done = run(["-c", PRINT_KEY], tmp_path, **variables)
    assert done.returncode != 0
    assert "Set SECRET_KEY" in done.stderr


@pytest.mark.parametrize("command", ["check", "migrate", "demo"])
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DATABASE_URL": "postgres://a:b@127.0.0.1:1/c"}, "Set SECRET_KEY"),
        ({"DEMETER_MIN_FREE": "plenty"}, "What DEMETER_MIN_FREE is set to makes no sense"),
        ({"DATABASE_URL": "nonsense"}, "What DATABASE_URL is set to makes no sense"),
        ({"TIME_ZONE": "Mars/Olympus"}, "What TIME_ZONE is set to is no time zone"),
        ({"LOG_LEVEL": "loud"}, "What LOG_LEVEL is set to makes no sense"),
        ({"DEMETER_ARCHIVE_STORE": "/mnt/s3"}, "What DEMETER_ARCHIVE_STORE is set to makes no sense"),
    ],
    ids=["key", "number", "address", "zone", "level", "store"],
)
def test_wrong_settings_are_one_sentence(
    tmp_path: Path, command: str, variables: dict[str, str], sentence: str
) -> None:
    done = run(["manage.py", command], tmp_path, **variables)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(["manage.py", "migrate"], tmp_path / "file" / "data")
    assert done.returncode != 0
    assert "The data folder cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_without_a_key_says_what_to_run_first(tmp_path: Path) -> None:
    done = run(["-c", "import portal.wsgi"], tmp_path)
    assert done.returncode != 0
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["runserver", "worker"])
@pytest.mark.parametrize("variables", [{}, {"SECRET_KEY": "given"}], ids=["bare", "with a key"])
def test_what_needs_a_database_says_what_to_run_first(tmp_path: Path, command: str, variables: dict[str, str]) -> None:
    data = tmp_path / "data"
    done = run(["manage.py", command], data, **variables)
    assert done.returncode != 0
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr
    assert not data.exists()


def test_debug_is_off_and_the_data_lies_where_it_was_said(tmp_path: Path) -> None:
    code = "from django.conf import settings as s; print(s.DEBUG, s.DEMETER_DATA, s.DATABASES['default']['NAME'])"
    done = run(["-c", code], tmp_path)
    assert done.stdout.split() == ["False", str(tmp_path), str(tmp_path / "demeter.sqlite3")]


def test_no_migration_is_missing(tmp_path: Path) -> None:
    done = run(["manage.py", "makemigrations", "--check", "--dry-run"], tmp_path)
    assert done.returncode == 0, done.stdout
