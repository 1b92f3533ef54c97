"""The sounds of a reproduction: clips before and after, in the folder of the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from mondegreen.audio import read_audio
from mondegreen.errors import MondegreenError
from mondegreen.report.fields import Fields

Wave = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SoundPair:
    """Where a clip and its adversarial example lie in the run's folder."""

    original: str
    adversarial: str


@dataclass(frozen=True)
class Example:
    """One attacked clip that can be heard.

    Args:
        setting: Key of the setting.
        attack: Short name, such as ``generator`` or ``pso``.
        title: The attack's name for readers.
        energy_in_tenth: Share of the perturbation's energy in its loudest tenth of samples.
    """

    setting: str
    source: str
    target: str
    attack: str
    title: str
    success: bool
    snr_db: float | None
    pesq_nb: float | None
    energy_in_tenth: float | None
    sounds: SoundPair


def read_example(fields: Fields) -> Example:
    """Return an example.

    Raises:
        MondegreenError: A field is missing or damaged, or a path leads out of the folder.
    """
    return Example(
        setting=fields.text("setting"),
        source=fields.text("source"),
        target=fields.text("target"),
        attack=fields.text("attack"),
        title=fields.text("title"),
        success=fields.flag("success"),
        snr_db=fields.optional_number("snr_db"),
        pesq_nb=fields.optional_number("pesq_nb"),
        energy_in_tenth=fields.optional_rate("energy_in_tenth"),
        sounds=read_sounds(fields),
    )


def read_sounds(fields: Fields) -> SoundPair:
    """Return the paths of a pair of sounds.

    Raises:
        MondegreenError: A path is absolute or leads out of the folder.
    """
    for name in ("original", "adversarial"):
        path = PurePosixPath(fields.text(name))
        if path.is_absolute() or ".." in path.parts or not path.name:
            fields.fail(name, f"expected a file inside of the run's folder, found {str(path)!r}")
    return SoundPair(fields.text("original"), fields.text("adversarial"))


def existing(folder: Path | None, sounds: SoundPair) -> tuple[Path, Path] | None:
    """Return the two files; None where the folder is unknown or does not hold both."""
    if folder is None:
        return None
    original, adversarial = folder / sounds.original, folder / sounds.adversarial
    return (original, adversarial) if original.is_file() and adversarial.is_file() else None


def read_pair(files: tuple[Path, Path]) -> tuple[Wave, Wave, int]:
    """Return both waveforms, mono, and their sample rate.

    Raises:
        MondegreenError: A file is damaged, or the two do not belong together.
    """
    (original, rate), (adversarial, other_rate) = map(read_audio, files)
    if rate != other_rate or original.shape != adversarial.shape or original.size == 0:
        raise MondegreenError(
            f"{files[1]} differs in length, channels or sample rate from {files[0]}, or is empty; "
            "run the reproduction again."
        )
    return (
        original.mean(axis=0, dtype=np.float64),
        adversarial.mean(axis=0, dtype=np.float64),
        rate,
    )


def energy_in_tenth(delta: Wave) -> float | None:
    """Return the share of a perturbation's energy in its loudest tenth of samples; None if silent.

    A constant level has 0.1, Gaussian noise :data:`NOISE_IN_TENTH`, a single click 1.

    Example:
        >>> energy_in_tenth(np.ones(20))
        0.1
    """
    energies = np.sort(np.square(delta, dtype=np.float64))[::-1]
    total = float(energies.sum())
    return float(energies[: max(1, energies.size // 10)].sum()) / total if total > 0 else None


NOISE_IN_TENTH = 0.439
"""The share for Gaussian noise: E[z²; |z| > 1.645] of a standard normal z."""
