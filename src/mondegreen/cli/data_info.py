"""``mondegreen data info``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.cli.options import parse, say, warn_of_unknown_speakers
from mondegreen.data.options import DataOptions, open_labelled, open_material
from mondegreen.data.splits import SPLIT_NAMES


@dataclass(frozen=True)
class Info:
    """Options of ``data info``."""

    options: Annotated[DataOptions, tyro.conf.arg(name="")]
    sample_rate: int = 16_000
    """Sample rate that clips are decoded to, in Hz."""
    clip_samples: int = 16_384
    """Samples that clips are padded or cut to."""


def run(words: Sequence[str]) -> None:
    """Parse the words, decode the clips and count them."""
    description = "Count and check the clips of a folder, and decode them into the cache."
    info = parse(Info, words, "data info", description, Info(options=DataOptions()))
    material = open_material(info.options, None, info.sample_rate, info.clip_samples)
    table = Table(title=Text(f"{material.corpus.name}: {len(material.corpus)} clips"))
    table.add_column("label")
    for name in SPLIT_NAMES:
        table.add_column(name, justify="right")
    for index, label in enumerate(material.corpus.labels):
        counts = [int((material.splits[name].labels == index).sum()) for name in SPLIT_NAMES]
        table.add_row(Text(label), *map(str, counts))
    table.add_section()
    table.add_row("clips", *(str(len(material.splits[name])) for name in SPLIT_NAMES))
    table.add_row(
        "speakers or tracks", *(str(len(material.splits[name].groups)) for name in SPLIT_NAMES)
    )
    Console().print(table)
    warn_of_unknown_speakers(material.corpus)
    left_out = len(open_labelled(info.options)) - len(material.corpus)
    if left_out:
        say(f"clips left out below {material.corpus.floor_db:g} dB of full scale: {left_out}")
    silent = [name for split in material.splits.values() for name in split.silent()]
    say(f"silent clips: {', '.join(silent) or 'none'}")
    if material.unlabelled is not None:
        say(f"unlabelled clips of training speakers: {len(material.unlabelled)}")
