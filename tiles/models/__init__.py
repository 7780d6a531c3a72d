"""The tables of the ground truth: areas, tile pairs, decisions about them, jobs."""

from .area import Area, AreaCounter, DemFile, SkippedWindow
from .atlas import Atlas, AtlasBlock, AtlasChange
from .blind import BlindAnswer, BlindRound, BlindTile
from .decision import ReviewDecision
from .job import Job, JobChunk, JobEvent
from .marks import Tag, TileComment, TileFlag, TileMark, TileTag
from .quota import QuotaLease, ServiceQuota
from .saved_view import SavedView
from .signature import TileSignature
from .tile import TilePair
from .tile_manager import watch
from .upload import DemUpload

__all__ = [
    "Area",
    "AreaCounter",
    "Atlas",
    "AtlasBlock",
    "AtlasChange",
    "BlindAnswer",
    "BlindRound",
    "BlindTile",
    "DemFile",
    "DemUpload",
    "Job",
    "JobChunk",
    "JobEvent",
    "QuotaLease",
    "ReviewDecision",
    "SavedView",
    "ServiceQuota",
    "SkippedWindow",
    "Tag",
    "TileComment",
    "TileFlag",
    "TileMark",
    "TilePair",
    "TileSignature",
    "TileTag",
]

watch(TilePair)
