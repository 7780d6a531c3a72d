"""Static files: hashed names, compressed, the imports between our own modules included."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Rewrites imports in `js/` only: packages ship modules that import what a bundler would have to provide."""

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS))


class PlotlyFinder(BaseFinder):
    """Finds plotly.js in the installed package: that one file, not the samples beside it."""

    name = "plotly.min.js"
    prefix = "plotly"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        package = find_spec("plotly")
        if package is None or package.origin is None:
            raise ModuleNotFoundError("plotly is not installed. Install requirements.txt.")
        self._storage = FileSystemStorage(Path(package.origin).parent / "package_data")
        self._storage.prefix = self.prefix  # type: ignore[attr-defined]

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        """Where a static file lies; nothing for every other file."""
        found = self._storage.path(self.name) if path == f"{self.prefix}/{self.name}" else None
        if find_all:
            return [found] if found else []
        return found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        yield self.name, self._storage
