"""The table of what tells the synthetic genres apart, for ``docs/measurement.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import percent
from mondegreen.report.markdown import table

NAMES = {"speaker": "by track", "random-chunk": "by chunk: a track is in every part"}


def render_table(path: Path) -> str:
    """Return the accuracies under both divisions.

    Args:
        path: What ``benchmarks/synthetic_music.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        rows = [
            [
                NAMES[split],
                f"{found['tracks']['train']} / {found['tracks']['test']}",
                percent(found["chance"]),
                percent(found["loudness"]),
                percent(found["mean_spectrum"]),
                percent(found["sample_cnn"]["accuracy"]),
            ]
            for split, found in content["splits"].items()
        ]
        config = content["corpus"]["config"]
        network = content["splits"]["speaker"]["sample_cnn"]
        about = (
            f"\n{config['tracks']} tracks a genre of {config['seconds']:g} s, seed "
            f"{config['seed']}, the default corpus. SampleCNN of {network['parameters']:,} "
            f"parameters (`--preset {content['preset']}`), trained once for each row, "
            f"{network['processor_seconds'] / 60:.0f} minutes of processor time for the first. "
            f"Machine: {machine_of(content['environment'])}."
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run "
            "benchmarks/synthetic_music.py."
        ) from error
    head = ["division", "tracks: train / test", "chance", "loudness", "mean spectrum", "SampleCNN"]
    return table(head, rows, "lrrrrr") + about
