from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mondegreen.data.cache import ClipCache


def resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return sum(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("shuffled", [False, True])
def test_memory_stays_flat_over_100_000_clips(shuffled: bool, tmp_path: Path) -> None:
    """Shuffled, the kernel maps more around each clip than the clip itself; it counts, too."""
    clips, samples = 100_000, 4_000  # 800 MB: enough to tell, and read in seconds
    data = tmp_path / "large.pcm"
    data.touch()
    os.truncate(data, clips * samples * 2)  # sparse: takes no room on the disk
    cache = ClipCache(data, samples)
    before, peak = resident_bytes(), 0
    order = np.random.default_rng(0).permutation(clips) if shuffled else np.arange(clips)
    for number, start in enumerate(range(0, clips, 1000)):
        pcm = cache.read(order[start : start + 1000])
        if number % 5 == 0:
            peak = max(peak, resident_bytes())
    assert pcm.shape == (1000, samples)
    assert peak - before < 200e6
