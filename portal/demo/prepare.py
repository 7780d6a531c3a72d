"""What the demo needs before it can be served. Every step may be run again and keeps the work done."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from portal.accounts.models import User
from portal.accounts.roles import ADMIN
from portal.accounts.secret import data_folder_ensure
from portal.accounts.services import user_create
from tiles.core.files import write_whole

USERNAME = "demo"


def database_ready() -> None:
    """The secret key, the tables, the roles."""
    data_folder_ensure()
    call_command("migrate", verbosity=0, interactive=False)


def static_ready() -> None:
    """Collect the static files, unless what is collected is what the sources hold."""
    stamp = settings.STATIC_ROOT / ".sources"
    sources = _static_fingerprint()
    if stamp.is_file() and stamp.read_text() == sources:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(sources)


def person_ready() -> tuple[str, str]:
    """A user who may do everything, and the password, which is generated once and works from then on."""
    path = settings.DEMETER_DATA / "demo-password"
    if not path.is_file():
        write_whole(path, secrets.token_urlsafe(9).encode(), str(os.getpid()))
        path.chmod(0o600)
    password = path.read_text().strip()
    user = User.objects.filter(username=USERNAME).first()
    if user is None:
        user_create(username=USERNAME, password=password, role=ADMIN, display_name="Demo")
    elif not (user.check_password(password) and user.is_active):
        user.set_password(password)
        user.is_active = True
        user.save()
    return USERNAME, password


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=None):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
