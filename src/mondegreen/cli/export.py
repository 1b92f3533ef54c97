"""``mondegreen export``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mondegreen.cli.options import parse, say
from mondegreen.errors import MondegreenError
from mondegreen.generators.export import export_onnx
from mondegreen.generators.generator import load_generator
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class ExportFiles:
    """Options of ``export``."""

    out: Path
    """The ONNX file to write."""
    generator: Path = Path("zoo:speech-commands")
    """Run folder of the generator, or zoo:<name> for one that comes with the package."""


def run(words: Sequence[str]) -> None:
    """Parse the words and export."""
    description = (
        "Write a generator as an ONNX file for any batch size and any length. The file is kept "
        "only if ONNX Runtime's result agrees with PyTorch's."
    )
    execute(parse(ExportFiles, words, "export", description))


def execute(options: ExportFiles) -> None:
    """Write the file and say what is in it.

    Raises:
        MondegreenError: There is no such generator, or the file cannot be written.
    """
    if options.out.suffix != ".onnx":
        raise MondegreenError(f"--out {options.out}: name a file that ends in .onnx.")
    generator = load_generator(resolve(options.generator))
    say("tracing the network; this takes a minute or less.")
    done = export_onnx(generator, options.out)
    print(
        f"{done.path}: {done.size / 1e6:.1f} MB, ONNX operators of version {done.opset}; differs "
        f"from PyTorch by at most {done.difference:.1e}."
    )
