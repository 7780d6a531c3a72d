"""`make bench`: every bench, one after another. Ratios compare two things in one run; nothing here is asserted."""

from tests.bench import (
    atlas,
    caption_checks,
    caption_search,
    limiter,
    quality,
    release,
    review,
    tile_outputs,
    unique,
    whole_build,
)

BENCHES = (
    tile_outputs.main,
    whole_build.main,
    quality.main,
    limiter.main,
    atlas.main,
    review.main,
    caption_search.main,
    caption_checks.main,
    unique.main,
    release.main,
)

for bench in BENCHES:
    bench()
