"""The environment of a test run. Loaded by pytest before the settings are read (`-p` in pyproject.toml).

No test may touch a developer's data folder.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

FOLDER = tempfile.mkdtemp(prefix="demeter-test-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

os.environ["DEMETER_DATA"] = FOLDER
os.environ["SECRET_KEY"] = "only-for-tests"
os.environ["STATIC_STORAGE"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
os.environ["STATIC_ROOT"] = FOLDER
os.environ["DEMETER_MIN_FREE"] = "1000000"
os.environ["DEMETER_WORKERS"] = "2"
