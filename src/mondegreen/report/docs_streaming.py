"""The table of streaming attacks by latency, for ``docs/measurement.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import number, percent
from mondegreen.report.markdown import table


def render_table(path: Path) -> str:
    """Return success and speed for each latency.

    Args:
        path: What ``benchmarks/streaming.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        rows = [
            [
                f"{row['block_ms']:g} + {row['lookahead_ms']:g}",
                f"{row['latency_ms']:.0f}",
                percent(row["success_rate"]),
                number(row["real_time_factor"]),
            ]
            for row in sorted(content["rows"], key=lambda row: float(row["latency_ms"]))
        ]
        about = (
            f"\n{content['clips']} words of test speakers under faint noise, SNR "
            f"{content['snr_db']:g} dB; attacked as whole clips, {percent(content['whole'])} of "
            f"them are heard as the target. Machine: {machine_of(content['environment'])}."
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/streaming.py."
        ) from error
    head = ["block + lookahead (ms)", "latency (ms)", "success", "computing / sound"]
    return table(head, rows, "lrrr") + about
