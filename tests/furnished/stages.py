"""The stages of an audit, run in this process and shrunk as the lines of pages are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.furnished.shrinking import shrunk

from mondegreen.stages.commands import run
from mondegreen.stages.stage import DONE, Outcome, Records, Stage


def in_this_process(
    stages: Sequence[Stage], folder: Path, *, jobs: int, tell: Callable[[str], None]
) -> dict[str, Outcome]:
    """Stand in for ``run_stages``, which loads PyTorch anew for every stage.

    The audit draws a page of its own; those of its comparisons are not drawn.
    """
    records, done = Records(folder), Outcome(DONE, "", 1.0, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mondegreen.cli.compare.write_comparison", lambda out, found: [])
        patch.setattr("mondegreen.cli.compare.write_comparison_page", lambda out: out)
        for stage in stages:
            if records.read(stage).state != DONE:
                assert run([shrunk(list(words), {}) for words in stage.commands]) == 0, stage.name
                assert stage.produces.is_file(), stage.name
                records.write(stage, done)
    return {stage.name: done for stage in stages}
