"""Sound files in blocks: what the package's whole-file reader reads, and its refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mondegreen.audio import quantize, read_audio, rescale
from mondegreen.errors import MondegreenError
from mondegreen.sound_files import SoundReader, write_blocks


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "AU"])
def test_blocks_are_what_the_whole_file_holds(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"clip.{form.lower()}"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.9, 0.9, (5_003, 2)), 22_050, format=form)
    with SoundReader(path, "paper") as sound:
        blocks = list(sound.blocks(1_000))
        assert (sound.sample_rate, sound.channels) == (22_050, 2)
    assert [block.shape for block in blocks] == [(2, 1_000)] * 5 + [(2, 3)]
    wanted = rescale(quantize(torch.from_numpy(read_audio(path)[0]).clamp(-1, 1)), "paper")
    assert torch.equal(torch.cat(blocks, dim=1), wanted)


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
def test_what_is_written_in_pieces_is_read_again(tmp_path: Path, normalization: str) -> None:
    assert normalization in ("pcm", "paper")
    scale: str = normalization
    x = torch.rand(3, 1_000) * 2 - 1
    path = tmp_path / "new" / "out.wav"
    with write_blocks(path, 44_100, 3, 1_000, scale) as writer:  # type: ignore[arg-type]
        assert not path.exists()
        for piece in torch.split(x, 300, dim=1):
            writer.write(piece)
    with SoundReader(path, scale) as sound:  # type: ignore[arg-type]
        again = torch.cat(list(sound.blocks(400)), dim=1)
    assert torch.equal(again, quantize(x, scale))  # type: ignore[arg-type]
    assert soundfile.info(path).subtype == "PCM_16"


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    path.write_bytes(b"old")
    with (
        pytest.raises(MondegreenError, match="NaN"),
        write_blocks(path, 8_000, 1, 10) as writer,
    ):
        writer.write(torch.zeros(1, 5))
        raise MondegreenError("NaN")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.wav"]


def test_problems_are_named(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not exist"):
        SoundReader(tmp_path / "gone.wav")
    # From Python 3.14 on, a name that is too long is one of a file that is not there.
    said = "cannot read" if sys.version_info < (3, 14) else "does not exist"
    with pytest.raises(MondegreenError, match=said):
        SoundReader(Path("a" * 5_000))
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(MondegreenError, match=r"text\.wav cannot be decoded"):
        SoundReader(text)
    empty = tmp_path / "empty.wav"
    soundfile.write(empty, np.zeros((0, 1)), 8_000)
    with SoundReader(empty) as sound, pytest.raises(MondegreenError, match="holds no samples"):
        next(sound.blocks(10))
    late = tmp_path / "late.wav"
    soundfile.write(late, np.r_[np.zeros(50), np.nan], 8_000, subtype="FLOAT")
    with SoundReader(late) as sound, pytest.raises(MondegreenError, match="NaN"):
        list(sound.blocks(20))
    cut = tmp_path / "cut.wav"
    soundfile.write(cut, np.zeros(1_000), 8_000)
    cut.write_bytes(cut.read_bytes()[:-500])
    with pytest.raises(MondegreenError, match="truncated: 500 bytes"):
        SoundReader(cut)


def test_files_too_long_for_wav_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with pytest.raises(MondegreenError, match=r"4\.0 GiB"), write_blocks(path, 48_000, 2, 2**30):
        pass
    assert list(tmp_path.iterdir()) == []
