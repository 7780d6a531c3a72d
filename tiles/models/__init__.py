"""The tables of the ground truth: areas, tile pairs, decisions about them, jobs."""

from .area import Area, AreaCounter, DemFile, SkippedWindow
from .assignment import Assignment
from .atlas import Atlas, AtlasBlock, AtlasChange
from .blind import BlindAnswer, BlindRound, BlindTile
from .claim import TileClaim
from .decision import ReviewDecision
from .job import Job, JobChunk, JobEvent
from .marks import Tag, TileComment, TileFlag, TileMark, TileTag
from .queue_entry import QueueEntry
from .quota import QuotaEntry, QuotaLease, ServiceQuota
from .saved_view import SavedView
from .signature import TileSignature
from .tile import TilePair
from .tile_manager import watch
from .upload import DemUpload

__all__ = [
    "Area",
    "AreaCounter",
    "Assignment",
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
    "QueueEntry",
    "QuotaEntry",
    "QuotaLease",
    "ReviewDecision",
    "SavedView",
    "ServiceQuota",
    "SkippedWindow",
    "Tag",
    "TileClaim",
    "TileComment",
    "TileFlag",
    "TileMark",
    "TilePair",
    "TileSignature",
    "TileTag",
]

watch(TilePair)
