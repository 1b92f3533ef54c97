"""The table of how measures of audibility follow PESQ, for ``docs/generator.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.markdown import table

NAMES = {
    "snr_db": "signal-to-noise ratio",
    "masking_excess": "excess over the masking threshold",
    "audible_share": "share above the masking threshold",
    "loudness": "loudness (the loss)",
}


def render_table(path: Path) -> str:
    """Return the table of rank correlations with narrow-band PESQ.

    Args:
        path: What ``benchmarks/hearing.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        found = content["correlations"]
        rows = [
            [group, *(_cell(measures[name]) for name in NAMES)] for group, measures in found.items()
        ]
        clips = content["clips"]
    except (KeyError, TypeError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/hearing.py."
        ) from error
    about = (
        f"\nSpearman's rank correlation with narrow-band PESQ over {clips} clips of test speakers, "
        "each perturbed in every way; in brackets the 95 % interval from drawing clips again."
    )
    return table(["perturbed by", *NAMES.values()], rows, "l" + "r" * len(NAMES)) + about


def _cell(found: dict[str, float]) -> str:
    return f"{found['spearman']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})"
