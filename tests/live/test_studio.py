"""Requests in, HTML and numbers out, never a traceback, and nothing of one session in another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mondegreen.live.attacking import Request
from mondegreen.live.studio import FAULT, Studio

NAME = "zoo:speech-commands"
Write = Callable[..., Path]
Wave = npt.NDArray[np.float64]


def test_an_attack_and_what_a_channel_leaves(studio: Studio, write: Write, voice: Wave) -> None:
    shown = studio.attack(str(write("hum.wav", voice)), NAME, lambda: Request("stop"))
    assert shown.answer is not None and shown.numbers["target"] == "stop"
    for part in ("Misheard as", "Download the WAV", "20.0", "data:audio/wav", "Original"):
        assert part in shown.html
    sent = studio.channels(shown.answer, ["gain:db=-6", "noise:snr_db=10"], chain=False)
    assert set(sent.numbers["survives"]) == {"gain:db=-6", "noise:snr_db=10"}
    assert "of 2 channels" in sent.html


def test_listening(studio: Studio, write: Write, voice: Wave) -> None:
    shown = studio.listen(str(write("hum.wav", voice)), NAME)
    shares = shown.numbers["probabilities"]
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-4)
    assert shown.numbers["heard"] == max(shares, key=shares.get)
    assert shown.numbers["heard"] in shown.html
    longer = np.concatenate([np.zeros(40_000), voice])
    assert "of your 3.00 s the" in studio.listen(str(write("long.wav", longer)), NAME).html


def test_nothing_yet_is_no_error(studio: Studio) -> None:
    for shown in (
        studio.attack(None, NAME, lambda: Request("stop")),
        studio.listen(None, NAME),
        studio.channels(None, [], chain=False),
    ):
        assert 'role="status"' in shown.html and shown.answer is None


def test_files_elsewhere_are_refused(
    studio: Studio, files: Path, tmp_path: Path, voice: Wave, write: Write
) -> None:
    outside = write("hum.wav", voice).rename(tmp_path / "outside.wav")
    (files / "link.wav").symlink_to(outside)
    for path in (
        "/etc/passwd",
        str(outside),
        str(files / ".." / "outside.wav"),
        str(files / "link.wav"),
        str(files) + "-beside/x.wav",
        "nul\0byte",
        "https://example.com/x.wav",
    ):
        shown = studio.listen(path, NAME)
        assert "no file of this page" in shown.numbers["error"], path


def test_a_refusal_is_a_sentence_on_the_page(studio: Studio, files: Path) -> None:
    (files / "x<b>.wav").write_text("no sound")
    shown = studio.attack(str(files / "x<b>.wav"), NAME, lambda: Request("stop"))
    assert 'role="alert"' in shown.html and "cannot be decoded" in shown.html
    assert "x&lt;b&gt;.wav" in shown.html and "<b>" not in shown.html
    assert str(files) not in shown.html
    assert "no model" in studio.listen(str(files / "x<b>.wav"), "nonsense").numbers["error"]


def test_a_fault_of_the_program_is_a_sentence_too(
    studio: Studio,
    write: Write,
    voice: Wave,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("who knows")

    monkeypatch.setattr("mondegreen.live.studio.read_clip", fail)
    shown = studio.listen(str(write("hum.wav", voice)), NAME)
    assert shown.numbers == {"error": FAULT} and "Traceback" not in shown.html
    assert "who knows" in capsys.readouterr().err


def test_sixteen_people_get_their_own_answers(studio: Studio, write: Write, voice: Wave) -> None:
    labels = studio.models[NAME].targets
    clips = [
        write(f"{n}.wav", np.concatenate([np.zeros(200 * n), voice])[: 8_000 + 100 * n])
        for n in range(16)
    ]

    def ask(n: int) -> tuple[float, str]:
        path = str(clips[n])
        shown = studio.attack(path, NAME, lambda: Request(labels[n % 10], 20.0, "fgsm"))
        return shown.numbers["seconds"], shown.numbers["target"]

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(ask, range(16)))
    assert found == [(round(0.5 + n / 160, 3), labels[n % 10]) for n in range(16)]


def test_the_attacks_of_a_model(studio: Studio) -> None:
    kinds = [kind for _, kind in studio.attack_kinds(NAME)]
    assert kinds == ["generator", "refined", "pgd", "fgsm"]
