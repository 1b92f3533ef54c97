"""The table of the live page's answers, for ``docs/serve.md``."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import number
from mondegreen.report.markdown import table


def render_table(path: Path) -> str:
    """Return how long an answer takes, alone and with many people at once.

    Args:
        path: What ``benchmarks/serve.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        rows = [
            [
                f"one person, `{attack}`",
                number(found["median_ms"], 0),
                number(found["slowest_ms"], 0),
                number(found["attack_median_ms"], 1),
            ]
            for attack, found in content["alone"].items()
        ]
        crowd = content["together"]
        rows.append(
            [
                f"{crowd['people']} people at once, `generator`",
                number(crowd["median_ms"], 0),
                number(crowd["slowest_ms"], 0),
                "",
            ]
        )
        each = crowd["answers"] // crowd["people"]
        about = (
            f"\n{number(crowd['answers_per_second'], 1)} answers a second for "
            f"{crowd['people']} people who ask {each} times each without a pause. Machine: "
            f"{machine_of(content['environment'])}."
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/serve.py."
        ) from error
    head = ["who asks for what", "median (ms)", "slowest (ms)", "of it, the attack (ms)"]
    return table(head, rows, "lrrr") + about
