"""The tables of the ground truth: areas, tile pairs, decisions about them, jobs."""

from .area import Area, AreaCounter, DemFile, SkippedWindow
from .atlas import Atlas, AtlasBlock, AtlasChange
from .decision import ReviewDecision
from .job import Job, JobChunk, JobEvent
from .quota import QuotaEntry, QuotaLease, ServiceQuota
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
    "DemFile",
    "DemUpload",
    "Job",
    "JobChunk",
    "JobEvent",
    "QuotaEntry",
    "QuotaLease",
    "ReviewDecision",
    "SavedView",
    "ServiceQuota",
    "SkippedWindow",
    "TilePair",
    "TileSignature",
]

watch(TilePair)
