"""Downloads of releases for who is signed in, and for whoever has a link."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import ApplicationError, BadInput
from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES

from .downloads import Taker, downloads_page
from .links import HOURS, MOST_HOURS, link_lines, link_make, link_names, link_of, link_token, links_open, links_revoke
from .members import folder_page, require_archive
from .models import Release, ReleaseLink
from .selectors import release_by_name
from .sending import SUMS_OF_FILES, file_response, member_response

MADE_LINK = "release-link"
"""What the session keeps of the link that was just made, for the page that shows it."""


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_download(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """An archive, whole or in parts."""
    return release_file(request, name=name, file=f"{file}.zip")


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_file(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """Any file of a release by its name: archives, checksums, the description."""
    return file_response(request, release_by_name(name), file, Taker(by=request.user))


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_member(request: HttpRequest, name: str, path: str) -> HttpResponseBase:
    """One file out of the archive."""
    return member_response(request, release_by_name(name), path, Taker(by=request.user))


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_files(request: HttpRequest, name: str) -> HttpResponse:
    """What is inside the archive, folder by folder."""
    shown = release_by_name(name)
    context = {"section": "releases", "page_of": "release", **files_facts(request, shown, "release")}
    return render(request, "exports/files.html", context)


@require_safe
@login_not_required
def link_file(request: HttpRequest, token: str, file: str) -> HttpResponseBase:
    """A file of a release, by a link."""
    link = link_of(token)
    return file_response(request, link.release, file, Taker(link=link))


@require_safe
@login_not_required
def link_member(request: HttpRequest, token: str, path: str) -> HttpResponseBase:
    """One file out of the archive, by a link."""
    link = link_of(token)
    return member_response(request, link.release, path, Taker(link=link))


@require_safe
@login_not_required
def link_list(request: HttpRequest, token: str) -> HttpResponse:
    """The addresses of all files of a link, one a line: what `wget -i` reads."""
    link = link_of(token)
    require_archive(link.release)
    return HttpResponse(link_lines(link_addresses(request, link)), content_type="text/plain; charset=utf-8")


@require_POST
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_link(request: HttpRequest, name: str) -> HttpResponse:
    """Make a link, or revoke all, and go back to the release's page."""
    release = release_by_name(name)
    if request.POST.get("action") == "revoke":
        ended = links_revoke(release_id=release.pk, by=request.user)
        words = f"{ended} link{'s' if ended > 1 else ''} revoked." if ended else "There was no link to revoke."
        messages.success(request, words)
        request.session.pop(MADE_LINK, None)
        return redirect(f"{reverse('release', args=[name])}#links")
    try:
        hours = 24 * float(request.POST.get("days") or HOURS / 24)
    except ValueError as error:
        raise BadInput("Say in a number for how many days the link is to hold.") from error
    try:
        link = link_make(release_id=release.pk, hours=hours, by=request.user)
    except ApplicationError as error:
        messages.error(request, error.message)
    else:
        request.session[MADE_LINK] = link.pk
    return redirect(f"{reverse('release', args=[name])}#links")


@require_safe
@permission_required(MAKE_RELEASES, raise_exception=True)
def release_downloads(request: HttpRequest, name: str) -> HttpResponse:
    """Who downloaded what, and what else was done with the release, the newest first."""
    shown = release_by_name(name)
    context = {
        "section": "releases",
        "release": shown,
        "page": downloads_page(shown, after=request.GET.get("after", ""), before=request.GET.get("before", "")),
        "events": shown.events.select_related("by")[:50],
    }
    return render(request, "exports/downloads.html", context)


def link_addresses(request: HttpRequest, link: ReleaseLink) -> list[str]:
    """Of its files, with the site's own name before them."""
    token = link_token(link)
    return [request.build_absolute_uri(reverse("link-file", args=[token, name])) for name in link_names(link.release)]


def files_facts(request: HttpRequest, release: Release, of: str) -> dict[str, Any]:
    """What the list of files needs. of: how the addresses are called, release or public."""
    folder = request.GET.get("folder", "")
    folders, listing = folder_page(release, folder, after=request.GET.get("after", ""))
    parts = folder.rstrip("/").split("/") if folder else []
    return {
        "release": release,
        "folder": folder,
        "crumbs": [(part, "/".join(parts[: place + 1]) + "/") for place, part in enumerate(parts)],
        "folders": [(one, one.path.rstrip("/").rpartition("/")[2]) for one in folders],
        "listing": listing,
        "home": reverse(of, args=[release.name]),
        "files_at": reverse(f"{of}-files", args=[release.name]),
    }


def downloads_facts(request: HttpRequest, release: Release) -> dict[str, Any]:
    """What the part of a release's page about downloads needs."""
    if release.state != Release.State.READY:
        return {}
    facts: dict[str, Any] = {"files": list(release.files.all()), "days": HOURS // 24, "most_days": MOST_HOURS // 24}
    if release.has_archive:
        folder = reverse("release-file", args=[release.name, SUMS_OF_FILES]).removesuffix(SUMS_OF_FILES)
        facts["download_folder"] = request.build_absolute_uri(folder)
        links = links_open(release.pk)
        made = links.filter(pk=request.session.get(MADE_LINK), made_by=request.user).first()
        facts |= {"link_count": links.count(), "link": made}
        if made:
            facts["link_address"] = request.build_absolute_uri(reverse("link-list", args=[link_token(made)]))
    if release.public_since:
        facts["public_address"] = request.build_absolute_uri(reverse("public", args=[release.name]))
    return facts
