"""The key that signs sessions, for a machine whose environment gives none."""

from __future__ import annotations

import os
import secrets

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def data_folder_ensure() -> None:
    """What the first start needs before it opens a database: the data folder, and in it the key. Raises OSError."""
    settings.DEMETER_DATA.mkdir(parents=True, exist_ok=True)
    secret_key_ensure()


def secret_key_ensure() -> None:
    """Make the key file, mode 0600, unless a key is given; once, even when two processes try together."""
    try:
        if settings.SECRET_KEY:
            return
    except ImproperlyConfigured:
        pass
    path = settings.SECRET_KEY_FILE
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(64))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(temporary)  # fails where the file exists: the first writer wins
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    settings.SECRET_KEY = path.read_text().strip()
