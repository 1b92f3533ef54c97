"""Files that were made to do harm: they are refused in bounded time and memory."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import struct
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import nn

from mondegreen.audio import read_audio, read_mono
from mondegreen.classifiers.classifier import ClassifierConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.configs import from_dict
from mondegreen.data.download import download_speech_commands
from mondegreen.data.folder import folder_corpus
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.partial import Partial
from mondegreen.files import MAX_JSON_BYTES, read_json
from mondegreen.weights import load_weights
from mondegreen.zoo import resolve


@contextmanager
def bounded(seconds: float = 5.0, gib: float = 1.0) -> Iterator[None]:
    """Fail where the block takes longer, or makes the process larger, than it may."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    assert time.process_time() - start < seconds
    assert grown < gib


# ------------------------------------------------------------------ sounds


def wav(path: Path, **changes: int) -> Path:
    """Write a WAV file of 100 samples whose header says something else."""
    said = {"channels": 1, "rate": 16_000, "bits": 16, "size": 200, "format": 1} | changes
    width = said["channels"] * said["bits"] // 8
    form = struct.pack(
        "<HHIIHH",
        *(said["format"], said["channels"], said["rate"]),
        *((said["rate"] * width) & 0xFFFFFFFF, width & 0xFFFF, said["bits"]),
    )
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", said["size"]) + bytes(range(200))
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 0x7FFF0000 - 1},
        {"channels": 0},
        {"channels": 65_535},
        {"rate": 0},
        {"rate": 10_000_000},
        {"rate": 0xFFFFFFFF},
        {"bits": 0},
        {"bits": 65_535},
        {"format": 0xFFFF},
    ],
    ids=str,
)
def test_headers_that_lie(changes: dict[str, int], tmp_path: Path) -> None:
    with bounded(), pytest.raises(MondegreenError, match=r"x\.wav"):
        read_mono(wav(tmp_path / "x.wav", **changes), 16_000)


@pytest.mark.parametrize("rate", [1, 7, 44_101, 767_999])
def test_odd_rates_are_read(rate: int, tmp_path: Path) -> None:
    with bounded():
        assert len(read_mono(wav(tmp_path / "x.wav", rate=rate), 16_000)) > 0


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "NaN"), (np.inf, "NaN"), (1e38, r"1e\+38"), (-3e38, r"3e\+38")]
)
def test_samples_that_are_no_sound(value: float, said: str, tmp_path: Path) -> None:
    x = np.zeros(100, dtype=np.float32)
    x[50] = value
    soundfile.write(tmp_path / "x.wav", x, 44_100, subtype="FLOAT")
    with pytest.raises(MondegreenError, match=said):
        read_mono(tmp_path / "x.wav", 16_000)


def test_loud_samples_are_cut_and_finite(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((300, 8)) * 1e11).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", x, 44_100, subtype="FLOAT")
    heard = read_mono(tmp_path / "x.wav", 16_000)
    assert bool(heard.isfinite().all()) and float(heard.abs().max()) == 1.0


def test_a_thousand_channels(tmp_path: Path) -> None:
    x = np.tile(np.linspace(-0.5, 0.5, 40, dtype=np.float32)[:, None], (1, 1000))
    soundfile.write(tmp_path / "x.wav", x, 16_000)
    with bounded():
        heard = read_mono(tmp_path / "x.wav", 16_000)
    assert heard.numpy() == pytest.approx(x[:, 0], abs=1e-4)


def test_a_small_file_that_unpacks_to_much_more(tmp_path: Path) -> None:
    """Silence compresses: here 8 channels of 655 kHz, a gigasample in a few megabytes."""
    with soundfile.SoundFile(
        tmp_path / "x.flac", "w", 655_350, 8, format="FLAC", subtype="PCM_16"
    ) as file:
        block = np.zeros((2**20, 8), dtype=np.int16)
        for _ in range(3):
            file.write(block)
    content = bytearray((tmp_path / "x.flac").read_bytes())
    at = content.index(b"fLaC") + 8 + 10  # STREAMINFO: rate, channels, bits and 36 bits of length
    packed = int.from_bytes(content[at : at + 8], "big")
    content[at : at + 8] = ((packed >> 36 << 36) | 655_350 * 3500).to_bytes(8, "big")
    (tmp_path / "x.flac").write_bytes(content)
    with bounded(), pytest.raises(MondegreenError, match="more than fit into memory"):
        read_audio(tmp_path / "x.flac")


def test_a_sparse_file_of_four_gigabytes(tmp_path: Path) -> None:
    with (tmp_path / "x.wav").open("wb") as file:
        file.truncate(2**32)
    with bounded(), pytest.raises(MondegreenError, match="cannot be decoded"):
        read_audio(tmp_path / "x.wav")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """A pipe would wait for ever, /dev/zero never ends."""
    os.mkfifo(tmp_path / "x.wav")
    (tmp_path / "y.wav").symlink_to("/dev/zero")
    for name in ("x.wav", "y.wav"):
        with pytest.raises(MondegreenError, match="not a file"):
            read_audio(tmp_path / name)
        with pytest.raises(MondegreenError, match="not a regular file"):
            read_json(tmp_path / name)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        os.mkfifo(tmp_path / label / "x.wav")
    with pytest.raises(MondegreenError, match="no sound files"):
        folder_corpus(tmp_path, labels=("a", "b"))


# ------------------------------------------------------------------ JSON


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 10**6, "not valid JSON"),
        ('{"a":' * 10**5, "not valid JSON"),
        ("1" * 10**6, "not valid JSON"),
        ("[NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "holds 'c' twice"),
        (r'{"label": "\ud800"}', "not valid JSON"),
    ],
    ids=["deep list", "deep object", "long number", "NaN", "infinity", "twice", "half character"],
)
def test_json_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with bounded(), pytest.raises(MondegreenError, match=said):
        read_json(tmp_path / "x.json")


def test_pairs_of_halves_are_a_character(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(r'["\ud83d\ude00"]')
    assert read_json(tmp_path / "x.json") == ["\U0001f600"]


def test_json_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "x.json").open("wb") as file:
        file.truncate(MAX_JSON_BYTES + 1)
    with bounded(), pytest.raises(MondegreenError, match="no file of ours is larger"):
        read_json(tmp_path / "x.json")


def test_a_string_of_a_hundred_megabytes_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"labels": "x" * 10**8}))
    with bounded(gib=2.0), pytest.raises(MondegreenError) as caught:
        from_dict(ClassifierConfig, read_json(tmp_path / "x.json"), "x.json")
    assert len(str(caught.value)) < 1000


# ------------------------------------------------------------------ weights


def safetensors(path: Path, header: object, data: bytes = b"", size: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


FOUR = {"weight": entry([1, 4], 0, 16), "bias": entry([1], 16, 20)}


@pytest.mark.parametrize(
    ("header", "data", "size"),
    [
        (FOUR, b"\0" * 20, 2**63),
        (FOUR, b"\0" * 20, 2**64 - 1),
        (FOUR, b"\0" * 20, 100_000_001),
        (FOUR, b"\0" * 19, None),
        (FOUR, b"\0" * 21, None),
        (b"[" * 10**6, b"", None),
        ({"weight": entry([1, 4], 0, 16), "bias": entry([1], 8, 12)}, b"\0" * 16, None),
        ({"weight": entry([2**40, 4], 0, 16), "bias": entry([1], 16, 20)}, b"\0" * 20, None),
        ({"weight": entry([2**63, 2**63], 0, 16), "bias": entry([1], 16, 20)}, b"\0" * 20, None),
        ({"weight": entry([4, 1], 0, 16), "bias": entry([1], 16, 20)}, b"\0" * 20, None),
        ({"weight": entry([1, 4], 0, 16)}, b"\0" * 16, None),
        ({**FOUR, "more": entry([0], 20, 20)}, b"\0" * 20, None),
        ({"weight": entry([1, 4], 0, 8, "F16"), "bias": entry([1], 8, 12)}, b"\0" * 12, None),
        ({"weight": entry([1, 4], 0, 16, "I32"), "bias": entry([1], 16, 20)}, b"\0" * 20, None),
        ({"weight": entry([1, 8], 0, 4, "F4"), "bias": entry([1], 4, 8)}, b"\0" * 8, None),
        ({"weight": entry([1, 4], 0, 4, "F8_E8M0"), "bias": entry([1], 4, 8)}, b"\0" * 8, None),
        (FOUR, struct.pack("<5f", 0, 0, float("nan"), 0, 0), None),
    ],
)
def test_hostile_weights(header: object, data: bytes, size: int | None, tmp_path: Path) -> None:
    safetensors(tmp_path / "x.safetensors", header, data, size)
    module = nn.Linear(4, 1)
    before = module.weight.clone()
    with bounded(), pytest.raises(MondegreenError, match=r"x\.safetensors"):
        load_weights(tmp_path / "x.safetensors", module)
    assert bool((module.weight == before).all()) and bool(module.weight.isfinite().all())


def test_a_description_cannot_ask_for_much(tmp_path: Path) -> None:
    source = resolve(Path("zoo:speech-commands"))
    for name in ("classifier.json", "classifier.safetensors"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    content = json.loads((tmp_path / "classifier.json").read_text())
    content["backbone"]["width"] = 1e4
    (tmp_path / "classifier.json").write_text(json.dumps(content))
    with bounded(seconds=10.0), pytest.raises(MondegreenError, match=r"classifier\.json"):
        load_classifier(tmp_path)


# ------------------------------------------------------------------ archives


def test_a_batch_that_would_unpack_to_much_more(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "000000.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(2**25))
        archive.writestr("after.npy", buffer.getvalue())
    assert (tmp_path / "000000.npz").stat().st_size < 2**19
    with bounded(), pytest.raises(MondegreenError, match="unpack"):
        Partial(tmp_path, {}).load(0)


@pytest.mark.parametrize(
    "name", ["../evil.wav", "/tmp/evil.wav", "yes/../../evil.wav", "yes/" + "x" * 300]
)
@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE]
)
def test_archives_stay_in_their_folder(name: str, kind: bytes, tmp_path: Path) -> None:
    place = tmp_path / "inner"
    place.mkdir()
    path = place / "speech_commands_v0.02.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "../../target"
        tar.addfile(info)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(MondegreenError):
        download_speech_commands("0.02", place / "data", sha256=digest)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["inner"]
    assert not list(place.glob("*data*"))
