"""The eSpeak NG speech synthesiser, from the ``espeakng-loader`` wheel or an installed program.

eSpeak NG is under the GPL, so it is an optional extra and nothing of it is part of this package.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mondegreen.data.espeak_library import EspeakLibrary
from mondegreen.data.speech_engine import (
    ESPEAK_RATE,
    INSTALL_HINT,
    SAFE_VOLUME,
    SpeechEngine,
    Utterance,
)
from mondegreen.errors import MondegreenError

_WAV_HEADER: Final = 44


def find_engine() -> SpeechEngine:
    """Return the wheel's library or else the installed ``espeak-ng`` program.

    Raises:
        MondegreenError: There is neither.
    """
    reason = ""
    try:
        loader = importlib.import_module("espeakng_loader")
        return EspeakLibrary(Path(loader.get_library_path()), Path(loader.get_data_path()))
    except ImportError:
        pass
    except (MondegreenError, OSError, RuntimeError) as error:
        reason = f" (the espeakng-loader wheel is there, but: {error})"
    program = shutil.which("espeak-ng")
    if program is not None:
        return EspeakProgram(Path(program))
    raise MondegreenError(f"there is no speech synthesiser{reason}. To get one, {INSTALL_HINT}.")


class EspeakProgram:
    """An installed ``espeak-ng``, run once an utterance.

    Version 1.51 and earlier have no option for the pitch range; it is left out there.

    Args:
        program: The executable.

    Raises:
        MondegreenError: It does not run.
    """

    def __init__(self, program: Path) -> None:
        self._program = program
        version = re.search(r"\d+\.\d+(\.\d+)?", self._run("--version").decode(errors="replace"))
        self._version = version.group() if version else "of an unknown version"
        # 1.52 draws its jitter from the clock unless -D is given, which earlier versions lack.
        options = self._run("--help").decode(errors="replace")
        self._fixed = ("-D",) if re.search(r"^-D\b", options, re.MULTILINE) else ()
        self._has_range = re.search(r"^-P <", options, re.MULTILINE) is not None

    def __repr__(self) -> str:
        """Show the program's path."""
        return f"EspeakProgram({str(self._program)!r})"

    @property
    def name(self) -> str:
        """What it is, with its version."""
        return f"espeak-ng {self._version} (program)"

    @property
    def voices(self) -> frozenset[str]:
        """Its English accents, in lower case, and all variants."""
        listing = self._run("--voices=en") + self._run("--voices=variant")
        files = re.findall(r"\s(gmw|!v)/(\S+)", listing.decode(errors="replace"))
        return frozenset(name.lower() if folder == "gmw" else name for folder, name in files)

    def speak(self, utterance: Utterance) -> npt.NDArray[np.int16]:
        """Return the samples at 22,050 Hz.

        Raises:
            MondegreenError: The voice is unknown or the synthesiser failed.
        """
        pitch_range = ("-P", str(utterance.pitch_range)) if self._has_range else ()
        settings = {"-v": utterance.voice, "-s": utterance.rate, "-p": utterance.pitch}
        settings["-a"] = SAFE_VOLUME
        options = [str(part) for setting in settings.items() for part in setting]
        wav = self._run(*self._fixed, *options, *pitch_range, "--stdout", "--", utterance.text)
        # The header claims 2 GB, as the program cannot go back on a pipe; only its rate is true.
        rate = int.from_bytes(wav[24:28], "little")
        samples = wav[_WAV_HEADER:]
        if rate != ESPEAK_RATE or not samples:
            raise MondegreenError(f"{self._program} could not say {utterance} (at {rate} Hz).")
        return np.frombuffer(samples[: len(samples) // 2 * 2], dtype="<i2").astype(np.int16)

    def _run(self, *arguments: str) -> bytes:
        command = [str(self._program), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MondegreenError(
                f"cannot run {self._program}: {error}. {INSTALL_HINT}."
            ) from error
        if done.returncode != 0:
            message = done.stderr.decode(errors="replace").strip() or f"code {done.returncode}"
            raise MondegreenError(f"`{' '.join(command)}` failed: {message}")
        return done.stdout
