"""The section on attacks without gradients, for ``docs/performance.md``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import number
from mondegreen.report.markdown import console_block, escape_text, table

HEAD = """\
## Attacks that only hear probabilities

The genetic attack, SirenAttack's swarm and the square attack work on all clips and candidates of a
batch at once. `benchmarks/evolution.py` sets them beside loops of the same methods with the same
settings, which ask about one candidate of one clip after the other: of each method one in NumPy on
whole arrays, and of the genetic attack one more that draws and copies sample by sample, as the
published code does. All ask the same classifier and none succeeds, so nothing stops early. Calls
take turns, and the **median** counts; *times faster* is the median of the ratios of each turn. On
one thread it is the processor's time, which is the same whoever else wants the processor; on
several, the time of the clock on the wall.

* **Own work**: what of the batched attack's time is not the classifier's, measured in the same
  turns with a function that answers at once.
* **At most**: how many times faster the batched attack would be if its own work took no time at
  all. It would still have to wait for the classifier.
"""

COLUMNS = (
    "attack",
    "compared with a loop",
    "loop (ms)",
    "batched (ms)",
    "times faster",
    "own work (ms)",
    "at most",
)

LOOPS = {
    "genetic": "on whole arrays",
    "genetic, by sample": "sample by sample, as published",
    "particle-swarm": "on whole arrays",
    "square": "on whole arrays",
}
TITLES = {
    "genetic": "genetic attack (Alzantot et al.)",
    "particle-swarm": "SirenAttack (particle swarm)",
    "square": "square attack (Andriushchenko et al.)",
}


def render_section(path: Path) -> str:
    """Return the section as Markdown.

    Args:
        path: What ``benchmarks/evolution.py`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        about = (
            f"{content['clips']} clips at a time against {content['classifier']}, milliseconds a "
            f"clip and iteration; medians of {content['rounds']} turns. Machine: "
            f"{machine_of(content['environment'])}, PyTorch {content['environment']['torch']}."
        )
        parts = [HEAD, f"{escape_text(about)}\n", console_block(str(content["command"]))]
        for setting in content["settings"]:
            threads = setting["threads"]
            parts.append(f"### {threads} thread{'s' if threads > 1 else ''}, without gradients\n")
            parts.append(table(COLUMNS, [_row(name, setting) for name in LOOPS], "ll" + 5 * "r"))
            parts.append(f"{_classifier(setting, content['chunk'])}\n")
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/evolution.py."
        ) from error
    return "\n".join(parts)


def _row(loop: str, setting: Mapping[str, Any]) -> list[str]:
    name, times = loop.partition(",")[0], setting["ms"]
    alone, batched = times[f"{loop}, one by one"], times[f"{name}, batched"]
    own = times[f"{name}, batched, own time"]
    return [
        TITLES[name],
        LOOPS[loop],
        number(alone),
        number(batched),
        f"**{setting['times_faster'][loop]:.1f} ×**",
        number(own),
        f"{alone / (batched - own):.1f} ×",
    ]


def _classifier(setting: Mapping[str, Any], chunk: int) -> str:
    """Say what the classifier gains from batches, which no attack can go beyond."""
    alone = setting["ms"]["classifier, 1 clip"]
    together = setting["ms"][f"classifier, {chunk} clips"]
    return (
        f"A query costs the classifier {number(alone)} ms alone and {number(together)} ms among "
        f"{chunk}, {alone / together:.1f} times less. That is what batches gain on this machine "
        "where the classifier takes most of the time; what else is gained is the attack's own work."
    )
