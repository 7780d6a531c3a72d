"""Downloads in parts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.exports import ranges
from portal.exports.ranges import ByteRange, NotSatisfiable, ranged_file_response, wanted_range

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
MODIFIED = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
MODIFIED_TEXT = "Tue, 03 Feb 2026 04:05:06 GMT"
TAG = '"abc123"'


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranges") / "archive.zip"
    path.write_bytes(CONTENT)
    return path


def ask(path: Path, method: str = "get", **headers: str) -> HttpResponseBase:
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    request = getattr(RequestFactory(), method)("/archive.zip", **named)
    return ranged_file_response(
        request,
        path,
        filename="archive.zip",
        etag="abc123",
        content_type="application/zip",
        last_modified=MODIFIED,
    )


def body(response: Any) -> bytes:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return bytes(content)


def test_whole(file: Path) -> None:
    response = ask(file)
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == TAG
    assert response["Last-Modified"] == MODIFIED_TEXT
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="archive.zip"'
    assert "Content-Range" not in response


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=100-", 100, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes=-{SIZE * 9}", 0, SIZE - 1),
        (f"bytes=7-{SIZE * 9}", 7, SIZE - 1),
        (f"bytes=7-{'9' * 200}", 7, SIZE - 1),
        (" Bytes = 5-6 ", 5, 6),
    ],
)
def test_a_part(file: Path, header: str, first: int, last: int) -> None:
    response = ask(file, range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == CONTENT[first : last + 1]


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=-0", f"bytes={'9' * 250}-"])
def test_behind_the_end(file: Path, header: str) -> None:
    response = ask(file, range=header)
    assert (response.status_code, body(response)) == (416, b"")
    assert response["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "lines=0-4", "bytes=0-4,9-12", "bytes=+1-4", "0-4"],
)
def test_what_is_no_single_range_gets_the_whole(file: Path, header: str) -> None:
    response = ask(file, range=header)
    assert (response.status_code, body(response)) == (200, CONTENT)


@given(header=st.from_regex(r"bytes=[0-9]{0,5}-[0-9]{0,5}", fullmatch=True), size=st.integers(0, 20_000))
@example(header="bytes=0-", size=0)
@example(header="bytes=-5", size=0)
def test_every_range_is_a_slice(header: str, size: int) -> None:
    """The header read by Python's own slicing."""
    first, _, last = header.removeprefix("bytes=").partition("-")
    numbers = range(size)
    if first:
        expected = numbers[int(first) : int(last) + 1 if last else None]
        unusable = bool(last) and int(last) < int(first)
    else:
        expected = numbers[size - min(int(last), size) :] if last else numbers
        unusable = not last
    try:
        found = wanted_range(header, size)
    except NotSatisfiable:
        assert len(expected) == 0
    else:
        if unusable:
            assert found is None
        else:
            assert found == ByteRange(expected[0], expected[-1])


@given(header=st.text(max_size=30))
def test_no_header_breaks_it(header: str) -> None:
    try:
        found = wanted_range(header, 100)
    except NotSatisfiable:
        return
    assert found is None or 0 <= found.first <= found.last < 100


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(cut=st.integers(0, SIZE - 1), block=st.sampled_from([1, 7, 1000, 1 << 18]))
def test_two_parts_make_the_whole(file: Path, cut: int, block: int) -> None:
    before, ranges.BLOCK = ranges.BLOCK, block
    try:
        whole = ask(file)
        first = b"".join(whole.streaming_content)[:cut]  # type: ignore[attr-defined]
        whole.close()
        assert first + body(ask(file, range=f"bytes={cut}-", if_range=whole["ETag"])) == CONTENT
    finally:
        ranges.BLOCK = before


@pytest.mark.parametrize("condition", [TAG, MODIFIED_TEXT])
def test_if_range_of_this_very_file(file: Path, condition: str) -> None:
    response = ask(file, range="bytes=10-19", if_range=condition)
    assert (response.status_code, body(response)) == (206, CONTENT[10:20])


@pytest.mark.parametrize(
    "condition",
    ['"other"', f"W/{TAG}", "Tue, 03 Feb 2026 04:05:05 GMT", "Tue, 03 Feb 2026 04:05:07 GMT", "yesterday"],
)
def test_if_range_of_another_file_gets_the_whole(file: Path, condition: str) -> None:
    response = ask(file, range="bytes=10-19", if_range=condition)
    assert (response.status_code, body(response)) == (200, CONTENT)


@pytest.mark.parametrize("condition", [TAG, f'"x", {TAG}', f"W/{TAG}", "*"])
def test_what_is_known_already_is_not_sent(file: Path, condition: str) -> None:
    response = ask(file, if_none_match=condition)
    assert (response.status_code, body(response)) == (304, b"")
    assert response["ETag"] == TAG


def test_conditions_come_before_ranges(file: Path) -> None:
    assert ask(file, range="bytes=0-4", if_none_match=TAG).status_code == 304
    assert ask(file, range="bytes=0-4", if_none_match='"other"').status_code == 206
    assert ask(file, range="bytes=0-4", if_match='"other"').status_code == 412
    assert ask(file, range="bytes=0-4", if_match=TAG).status_code == 206
    assert ask(file, if_modified_since=MODIFIED_TEXT).status_code == 304


def test_head_says_all_and_sends_nothing(file: Path) -> None:
    response = ask(file, "head", range="bytes=0-4")
    assert (response.status_code, body(response)) == (200, b"")
    assert (response["Content-Length"], response["Accept-Ranges"]) == (str(SIZE), "bytes")


def test_an_empty_file(tmp_path: Path) -> None:
    empty = tmp_path / "empty.zip"
    empty.write_bytes(b"")
    response = ask(empty)
    assert (response.status_code, response["Content-Length"], body(response)) == (200, "0", b"")
    assert ask(empty, range="bytes=0-").status_code == 416


def test_nginx_sends_it_where_it_is_told_to(tmp_path: Path, settings: Any) -> None:
    settings.DEMETER_DATA = tmp_path
    settings.DEMETER_ACCEL = "/protected/"
    (tmp_path / "a b.zip").write_bytes(CONTENT)
    response = ask(tmp_path / "a b.zip", range="bytes=0-4")
    assert (response.status_code, body(response)) == (200, b"")
    assert response["X-Accel-Redirect"] == "/protected/a%20b.zip"
    assert response["Content-Disposition"] == 'attachment; filename="archive.zip"'


def test_the_file_is_closed_when_nobody_reads(file: Path) -> None:
    response = ask(file)
    blocks = response._iterator  # type: ignore[attr-defined]
    response.close()
    with pytest.raises(ValueError, match="closed file"):
        next(blocks)
