from __future__ import annotations

import dataclasses
import random
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mondegreen.data.espeak import EspeakProgram, find_engine
from mondegreen.data.espeak_library import EspeakLibrary
from mondegreen.data.speech_engine import ESPEAK_RATE, Utterance
from mondegreen.data.synthetic_speakers import ACCENTS, VARIANTS, voice_name
from mondegreen.errors import MondegreenError

LEFT = Utterance(text="left", voice="gmw/en-us+m3", rate=130)

# Answers like espeak-ng, with the number of arguments and their text's length for samples, and the
# header that espeak-ng writes to a pipe: one that claims 2 GB.
PROGRAM = """#!{python}
import sys
arguments = sys.argv[1:]
if arguments == ["--version"]:
    print("eSpeak NG text-to-speech: 1.99.7  Data at: /nowhere")
elif arguments == ["--help"]:
    print({help!r})
elif arguments == ["--voices=en"]:
    print(" 2  en-us           --/M      English_(America)  gmw/en-US            (en 3)")
    print(" 3  en-uk           --/M      english-mb-en1     mb/mb-en1            (en 2)")
elif arguments == ["--voices=variant"]:
    print(" 5  variant         --/F      female_whisper     !v/whisperf")
elif "gmw/nobody" in arguments:
    sys.exit("Error: The specified espeak-ng voice does not exist.")
else:
    header = b"RIFF" + b"\\x24\\xf0\\xff\\x7f" + b"WAVEfmt " + bytes([16, 0, 0, 0, 1, 0, 1, 0])
    header += (22050).to_bytes(4, "little") + (44100).to_bytes(4, "little")
    header += bytes([2, 0, 16, 0]) + b"data" + b"\\x00\\xf0\\xff\\x7f"
    with open({log!r}, "w") as log:
        log.write(" ".join(arguments))
    sys.stdout.buffer.write(header + (1000).to_bytes(2, "little") + b"\\xfe\\xff")
"""


@pytest.fixture(scope="module")
def library() -> EspeakLibrary:
    loader = pytest.importorskip(
        "espeakng_loader", reason="needs the wheel espeakng-loader", exc_type=ImportError
    )
    return EspeakLibrary(Path(loader.get_library_path()), Path(loader.get_data_path()))


def fake_program(folder: Path, options: str) -> Path:
    program = folder / "espeak-ng"
    script = PROGRAM.format(python=sys.executable, help=options, log=str(folder / "log"))
    program.write_text(script, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def fundamental(x: npt.NDArray[np.int16]) -> float:
    """Pitch in Hz by the highest peak of the autocorrelation between 60 and 400 Hz."""
    middle = x[len(x) // 4 : len(x) // 2].astype(float)
    correlation = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    shortest, longest = ESPEAK_RATE // 400, ESPEAK_RATE // 60
    return float(ESPEAK_RATE / (shortest + np.argmax(correlation[shortest:longest])))


def test_every_accent_and_variant_is_there(library: EspeakLibrary) -> None:
    assert library.voices.issuperset((*ACCENTS, *VARIANTS))
    assert library.name.startswith("espeak-ng 1.")


def test_an_utterance_does_not_depend_on_what_was_said_before(library: EspeakLibrary) -> None:
    utterances = [
        Utterance(text=text, voice=voice_name(accent, variant), rate=150, seed=7)
        for text in ("stop?", "left")
        for accent, variant in zip(ACCENTS * 6, VARIANTS, strict=False)
    ]
    first = {utterance: library.speak(utterance) for utterance in utterances}
    random.Random(3).shuffle(utterances)
    for utterance in utterances:
        assert np.array_equal(library.speak(utterance), first[utterance]), utterance


def test_no_variant_clips(library: EspeakLibrary) -> None:
    for variant in VARIANTS:
        for text in ("go", "stop!"):
            x = library.speak(Utterance(text=text, voice=voice_name("en-us", variant)))
            peak = int(np.abs(x.astype(int)).max())
            assert 1_000 < peak < 32_000, (variant, text, peak)


def test_voices_differ(library: EspeakLibrary) -> None:
    voices = [voice_name("en-us", variant) for variant in VARIANTS]
    voices += [voice_name(accent) for accent in ACCENTS]
    said = {library.speak(Utterance(text="right", voice=voice)).tobytes() for voice in voices}
    assert len(said) == len(voices)


def test_the_settings_do_what_they_say(library: EspeakLibrary) -> None:
    slow = library.speak(dataclasses.replace(LEFT, rate=90))
    fast = library.speak(dataclasses.replace(LEFT, rate=250))
    assert len(slow) > 1.8 * len(fast)

    # espeak's pitch is an exponent: the step from 30 to 70 is known from the ratio alone.
    tone = dataclasses.replace(LEFT, text="no", voice="gmw/en-us+m5", pitch_range=0)
    low = fundamental(library.speak(dataclasses.replace(tone, pitch=30)))
    high = fundamental(library.speak(dataclasses.replace(tone, pitch=70)))
    assert 60 < low < high / 1.2 < 250

    breath = dataclasses.replace(LEFT, voice="gmw/en-us+whisper")
    assert (
        library.speak(breath).tobytes()
        != library.speak(dataclasses.replace(breath, seed=2)).tobytes()
    )
    question = dataclasses.replace(LEFT, text="left?")
    assert library.speak(question).tobytes() != library.speak(LEFT).tobytes()


def test_threads_wait_for_each_other(library: EspeakLibrary) -> None:
    utterances = [
        dataclasses.replace(LEFT, voice=voice_name("en-us", variant)) for variant in VARIANTS[:12]
    ]
    alone = [library.speak(utterance).tobytes() for utterance in utterances]
    with ThreadPoolExecutor(6) as pool:
        together = [x.tobytes() for x in pool.map(library.speak, utterances)]
    assert together == alone


def test_a_long_path_to_the_data_works(library: EspeakLibrary, tmp_path: Path) -> None:
    loader = pytest.importorskip("espeakng_loader")
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 12)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(loader.get_data_path())
    assert len(str(deep)) > 160  # where espeak itself gives up
    far = EspeakLibrary(Path(loader.get_library_path()), deep / "espeak-ng-data")
    assert np.array_equal(far.speak(LEFT), library.speak(LEFT))


def test_library_errors(library: EspeakLibrary, tmp_path: Path) -> None:
    loader = pytest.importorskip("espeakng_loader")
    with pytest.raises(MondegreenError, match="no voice 'gmw/nobody'"):
        library.speak(dataclasses.replace(LEFT, voice="gmw/nobody"))
    with pytest.raises(MondegreenError, match=r"cannot load .*missing\.so"):
        EspeakLibrary(tmp_path / "missing.so", tmp_path)
    with pytest.raises(MondegreenError, match="does not start with the data in"):
        EspeakLibrary(Path(loader.get_library_path()), tmp_path)


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ("-a <integer>\n-v <voice name>", ""),
        ("-P <integer>\n-D\t   Enable deterministic random mode", "-P 60 "),
    ],
    ids=["1.51", "1.52"],
)
def test_program(tmp_path: Path, options: str, extra: str) -> None:
    engine = EspeakProgram(fake_program(tmp_path, options))
    assert engine.name == "espeak-ng 1.99.7 (program)"
    assert engine.voices == {"en-us", "whisperf"}
    x = engine.speak(dataclasses.replace(LEFT, text="stop?", pitch=30, pitch_range=60))
    assert x.dtype == np.int16
    assert x.tolist() == [1000, -2]
    deterministic = "-D " if extra else ""
    assert (tmp_path / "log").read_text() == (
        f"{deterministic}-v gmw/en-us+m3 -s 130 -p 30 -a 40 {extra}--stdout -- stop?"
    )


def test_program_errors(tmp_path: Path) -> None:
    engine = EspeakProgram(fake_program(tmp_path, ""))
    with pytest.raises(MondegreenError, match="voice does not exist"):
        engine.speak(dataclasses.replace(LEFT, voice="gmw/nobody"))
    with pytest.raises(MondegreenError, match="cannot run"):
        EspeakProgram(tmp_path / "missing")


def test_the_program_stands_in_for_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)  # what a missing wheel looks like
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MondegreenError, match=r"pip install 'mondegreen\[speech\]'.*espeak-ng"):
        find_engine()
    fake_program(tmp_path, "")
    assert isinstance(find_engine(), EspeakProgram)


def test_a_broken_wheel_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loader:
        @staticmethod
        def get_library_path() -> str:
            return str(tmp_path / "broken.so")

        @staticmethod
        def get_data_path() -> str:
            return str(tmp_path)

    monkeypatch.setitem(sys.modules, "espeakng_loader", Loader)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MondegreenError, match=r"wheel is there, but: cannot load .*broken\.so"):
        find_engine()
