"""The eSpeak NG shared library through ctypes, as the ``espeakng-loader`` wheel brings it."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mondegreen.data.speech_engine import ESPEAK_RATE, INSTALL_HINT, SAFE_VOLUME, Utterance
from mondegreen.errors import MondegreenError

# The C library keeps its state in globals: one utterance at a time in a process.
_ONE_AT_A_TIME: Final = threading.Lock()

# Constants of eSpeak's public header, speak_lib.h.
_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_UTF8: Final = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class EspeakLibrary:
    """eSpeak NG's shared library.

    Its voice generator keeps the phase of its jitter from one utterance to the next and has no call
    to reset it, so every utterance gets a freshly loaded library (1 ms): the same utterance
    then has the same samples, whatever was said before.

    Args:
        library: The shared library.
        data: Its ``espeak-ng-data`` folder.

    Raises:
        MondegreenError: The library cannot be loaded or does not find its data.
    """

    def __init__(self, library: Path, data: Path) -> None:
        self._library = library
        self._source = data
        folder = tempfile.mkdtemp(prefix="espeak-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._data = Path(folder, "espeak-ng-data")
        _link_english(data.resolve(), self._data)
        with _ONE_AT_A_TIME, self._fresh() as espeak:
            self._version = espeak.espeak_Info(None).decode()

    def __repr__(self) -> str:
        """Show the library's path."""
        return f"EspeakLibrary({str(self._library)!r})"

    @property
    def name(self) -> str:
        """What it is, with its version."""
        return f"espeak-ng {self._version} (library)"

    @property
    def voices(self) -> frozenset[str]:
        """Its English accents, in lower case, and all variants."""
        accents = (self._data / "lang" / "gmw").glob("en*")
        variants = (self._data / "voices" / "!v").iterdir()
        return frozenset(path.name for path in (*accents, *variants))

    def speak(self, utterance: Utterance) -> npt.NDArray[np.int16]:
        """Return the samples at 22,050 Hz.

        Raises:
            MondegreenError: The voice is unknown or the synthesiser failed.
        """
        pieces: list[bytes] = []

        def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
            if samples and count > 0:
                pieces.append(ctypes.string_at(samples, 2 * count))
            return 0

        callback = _Callback(receive)
        text = utterance.text.encode() + b"\0"
        with _ONE_AT_A_TIME, self._fresh() as espeak:
            espeak.espeak_SetSynthCallback(callback)
            if espeak.espeak_SetVoiceByName(utterance.voice.encode()) != 0:
                raise MondegreenError(f"{self.name} has no voice {utterance.voice!r}.")
            espeak.espeak_SetParameter(_RATE, utterance.rate, 0)
            espeak.espeak_SetParameter(_VOLUME, SAFE_VOLUME, 0)
            espeak.espeak_SetParameter(_PITCH, utterance.pitch, 0)
            espeak.espeak_SetParameter(_RANGE, utterance.pitch_range, 0)
            espeak.espeak_ng_SetRandSeed(utterance.seed)
            status = espeak.espeak_Synth(text, len(text), 0, 1, 0, _UTF8, None, None)
        if status != 0 or not pieces:
            raise MondegreenError(f"{self.name} could not say {utterance} (status {status}).")
        return np.frombuffer(b"".join(pieces), dtype=np.int16)

    @contextmanager
    def _fresh(self) -> Iterator[ctypes.CDLL]:
        try:
            espeak = ctypes.CDLL(str(self._library))
        except OSError as error:
            raise MondegreenError(f"cannot load {self._library}: {error}.") from error
        try:
            _declare(espeak)
            rate = espeak.espeak_Initialize(_SYNCHRONOUS, 0, str(self._data).encode(), _DONT_EXIT)
            if rate != ESPEAK_RATE:
                raise MondegreenError(
                    f"{self._library} does not start with the data in {self._source} (it answered "
                    f"{rate}). Reinstall it: {INSTALL_HINT}."
                )
            yield espeak
            espeak.espeak_Terminate()
        finally:
            _unload(espeak)


def _link_english(data: Path, folder: Path) -> None:
    """Link what English needs of eSpeak's data into a new folder.

    eSpeak fails on data paths of more than 160 characters, which virtual environments can have; and
    as it looks for the accent ``en-US`` under the name ``en-us``, it misses the file at first and
    then reads all 240 voice files in search of it, which takes longer than to say the word.
    """
    accents = folder / "lang" / "gmw"
    accents.mkdir(parents=True)
    for path in (data / "lang" / "gmw").glob("en*"):
        (accents / path.name.lower()).symlink_to(path)
    for name in ("phondata", "phonindex", "phontab", "intonations", "en_dict", "voices"):
        (folder / name).symlink_to(data / name)


def _declare(espeak: ctypes.CDLL) -> None:
    espeak.espeak_Info.restype = ctypes.c_char_p
    espeak.espeak_Info.argtypes = [ctypes.c_void_p]
    espeak.espeak_SetSynthCallback.restype = None
    espeak.espeak_SetSynthCallback.argtypes = [_Callback]
    espeak.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    espeak.espeak_Synth.argtypes = [
        ctypes.c_char_p,  # text
        ctypes.c_size_t,  # its length, the closing zero included
        ctypes.c_uint,  # first position
        ctypes.c_int,  # unit of the position
        ctypes.c_uint,  # last position
        ctypes.c_uint,  # flags
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]


def _unload(library: ctypes.CDLL) -> None:
    close = ctypes.CDLL(None).dlclose
    close.argtypes = [ctypes.c_void_p]
    close(library._handle)
