"""The array as a browser gets it: all of it, or what has changed since it asked last."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tiles.core.errors import BadInput, NotFound
from tiles.models import Area, Atlas, AtlasBlock

from .records import RECORD, Records

MAGIC = b"ATLAS1\0\0"
_TYPES = {"<u4": "Uint32", "<f4": "Float32", "|u1": "Uint8"}


def atlas_token(head: Atlas) -> str:
    """What names one state of an array. Another area of the same slug gets other tokens."""
    return f"{head.area_id}-{head.version}"


def version_of(token: str, head: Atlas) -> int:
    """The version that a token of this array names; 0, that is all of it, when nothing can be told from the token."""
    area, _, version = token.partition("-")
    if not token:
        return 0
    if not (area.isdecimal() and version.isdecimal() and token.isascii() and len(token) < 40):
        raise BadInput(f"{token[:20]!r} names no state of an atlas. Leave it out to get all of it.")
    known = int(area) == head.area_id and head.whole_from <= int(version) <= head.version
    return int(version) if known else 0


def atlas_array(head: Atlas, *, since: int = 0) -> bytes:
    """What has changed after the version `since`, or everything for 0, column by column.

    MAGIC; the length of the header, uint32; the header, JSON padded with blanks to four bytes; then the columns that it
    names, each of `count` x `width` values, little endian, in an order that keeps every one aligned. `pictures` of the
    header: block -> digest, of the blocks that have changed.
    """
    blocks = list(AtlasBlock.objects.filter(atlas=head, version__gt=since).order_by("number"))
    parts = [np.frombuffer(block.content, RECORD) for block in blocks]
    records: Records = np.concatenate(parts) if parts else np.zeros(0, RECORD)
    if since:
        records = records[records["changed"] > since]
    names = [name for name in (RECORD.names or ()) if name != "changed"]
    header: dict[str, Any] = {
        "token": atlas_token(head),
        "whole": not since,
        "count": len(records),
        "pictures": {block.number: block.pictures for block in blocks},
        "columns": [_column(name) for name in names],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    columns = [np.ascontiguousarray(records[name]).tobytes() for name in names]
    return b"".join([MAGIC, len(text).to_bytes(4, "little"), text, *columns])


def _column(name: str) -> dict[str, Any]:
    kind = RECORD[name]
    return {"name": name, "type": _TYPES[kind.base.str], "width": kind.shape[0] if kind.shape else 1}


def block_of(*, area: Area, number: int) -> AtlasBlock:
    """Raises NotFound for one without pictures."""
    block = AtlasBlock.objects.filter(atlas__area=area, number=number).exclude(pictures="").first()
    if block is None:
        raise NotFound(f"{area.name} has no pictures of the tiles {number}. Reload the page.")
    return block
