"""Whose a release is, and how it is cited: LICENSE and CITATION.cff."""

from __future__ import annotations

import json
import re

from .layouts import AboutRelease

LICENSE, CITATION = "LICENSE", "CITATION.cff"
_SPDX = {
    re.sub(r"[^a-z0-9]", "", name.lower()): name
    for name in (
        *("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-3.0", "ODbL-1.0"),
        *("ODC-By-1.0", "PDDL-1.0", "MIT", "Apache-2.0", "AGPL-3.0"),
    )
} | {"cc0": "CC0-1.0", "ccby4": "CC-BY-4.0", "apache2": "Apache-2.0"}


def spdx(licence: str) -> str:
    """The SPDX identifier that a licence's name stands for beyond doubt, as "CC BY 4.0" does; "" for any other."""
    return _SPDX.get(re.sub(r"[^a-z0-9]", "", licence.lower()), "")


def one_licence(about: AboutRelease) -> str:
    """The SPDX identifier when it holds for all areas; else ""."""
    found = {spdx(licence) for licence in about.licences.values()}
    return found.pop() if len(found) == 1 else ""


def authors_of(about: AboutRelease) -> tuple[str, ...]:
    """Whom to cite: those named, else whom the areas attribute, else nobody by name."""
    attributed = tuple(dict.fromkeys(filter(None, about.attributions.values())))
    return about.authors or attributed or (f"The makers of {about.name}",)


def license_text(about: AboutRelease) -> str:
    """Which terms hold for what."""
    lines = [
        f"Licences of {about.name}",
        "",
        "The files of an area are under the licence that stands with it here; the attribution must be kept.",
    ]
    for slug, licence in about.licences.items():
        lines += ["", f"{slug}", f"  Licence: {licence}", f"  Attribution: {about.attributions[slug] or 'none given'}"]
    return "\n".join(lines) + "\n"


def citation_text(about: AboutRelease) -> str:
    """CITATION.cff, version 1.2.0. A JSON text is a YAML text too, so quoting is JSON's."""
    lines = [
        "cff-version: 1.2.0",
        "message: If you use this dataset, please cite it as below.",
        "type: dataset",
        f"title: {_quoted(about.name)}",
        "authors:",
        *(f"  - name: {_quoted(author)}" for author in authors_of(about)),
        f"date-released: {about.created[:10]}",
    ]
    optional = {"version": about.version, "doi": about.doi, "license": one_licence(about), "abstract": about.notes}
    lines += [f"{name}: {_quoted(value)}" for name, value in optional.items() if value]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
