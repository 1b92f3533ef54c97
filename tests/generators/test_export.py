from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.audio import read_audio
from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.loading import load_classifier
from mondegreen.configs import to_dict
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.generators import export
from mondegreen.generators.export import TOLERANCE, export_onnx, largest_difference
from mondegreen.generators.generator import Generator, GeneratorConfig, load_generator
from mondegreen.generators.onnx_runtime import OnnxGenerator, load_onnx
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.generators.unet import UNetConfig
from mondegreen.zoo import resolve

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

LABELS = ("yes", "no", "up", "down")
SPECTRAL = SpectralConfig(window=32, hop=16, width=8, blocks=1, kernel=3, dial=True)
CONFIG = GeneratorConfig(
    network=SPECTRAL,
    labels=LABELS,
    targets=LABELS[:3],
    classifier_name="tiny",
    classifier_fingerprint="0123456789abcdef",
    sample_rate=16_000,
    clip_samples=400,
    budget_db=20.0,
)
Pair = tuple[Generator, Path]


def make(folder: Path, **changes: Any) -> Pair:
    torch.manual_seed(3)
    generator = Generator(replace(CONFIG, **changes)).requires_grad_(False).eval()
    template = getattr(generator.network, "template", None)
    if template is not None:  # silent before it is trained
        torch.nn.init.normal_(template.weight, std=0.1)
    export_onnx(generator, folder / "generator.onnx")
    return generator, folder / "generator.onnx"


@pytest.fixture(scope="module")
def spectral(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A tiny spectral network with a dial."""
    return make(tmp_path_factory.mktemp("spectral"))


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A tiny U-Net, trained for no budget."""
    if torch.__version__.startswith("2.6"):
        pytest.skip("PyTorch 2.6 cannot export it")
    network = UNetConfig(width=0.05)
    return make(tmp_path_factory.mktemp("unet"), network=network, budget_db=None)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The generator that comes with the package."""
    generator = load_generator(resolve(Path("zoo:speech-commands")))
    path = tmp_path_factory.mktemp("shipped") / "generator.onnx"
    done = export_onnx(generator, path)
    assert done.size == path.stat().st_size
    assert done.difference <= TOLERANCE
    return generator, path


def voice(batch: int, time: int, rng: torch.Generator) -> Tensor:
    """Vowel-like sounds: harmonics of a gliding pitch, swelling and fading into silence."""
    seconds = torch.arange(time) / 16_000
    pitch = 90.0 + 120.0 * torch.rand(batch, 1, generator=rng) + 20.0 * torch.sin(4 * seconds)
    phase = 2 * torch.pi * torch.cumsum(pitch / 16_000, dim=1)
    x = sum(torch.sin(k * phase + k) / k for k in range(1, 20))
    swell = torch.sin(torch.pi * torch.linspace(0.0, 1.4, time)).clamp_min(0.0).square()
    noise = 0.002 * torch.randn(batch, time, generator=rng)
    return (0.2 * swell * (x + noise))[:, None]


def labels(generator: Generator, batch: int) -> Tensor:
    known = [generator.config.labels.index(name) for name in generator.config.targets]
    return torch.tensor(known)[torch.arange(batch) % len(known)]


# ------------------------------------------------------------------ parity


@pytest.mark.parametrize("batch", [1, 3, 32])
@pytest.mark.parametrize("time", [3_200, 16_000, 16_384, 40_000])
def test_the_shipped_generator_computes_the_same(
    shipped: Pair, batch: int, time: int, rng: torch.Generator
) -> None:
    generator, path = shipped
    x, target = voice(batch, time, rng), labels(generator, batch)
    snr_db = 10.0 + 20.0 * torch.rand(batch, generator=rng)
    expected = generator(x, target, snr_db=snr_db)
    found = OnnxGenerator.load(path)(x, target, snr_db=snr_db)
    assert float(expected.abs().max()) > 1e-3
    torch.testing.assert_close(found, expected, rtol=0.0, atol=TOLERANCE)


def test_the_shipped_generator_on_real_clips(shipped: Pair, real_data: Path) -> None:
    generator, path = shipped
    exported = OnnxGenerator.load(path)
    for word in ("yes", "left", "stop"):
        for file in sorted((real_data / "speech_commands" / word).glob("*.flac"))[:4]:
            samples, _ = read_audio(file)
            x = torch.as_tensor(samples).reshape(1, 1, -1).float()
            target = labels(generator, 1)
            torch.testing.assert_close(
                exported(x, target), generator(x, target), rtol=0.0, atol=TOLERANCE
            )


@pytest.mark.parametrize("kind", ["spectral", "unet"])
@pytest.mark.parametrize("budget", [None, SNR(30.0), SNR(-5.0), L2(0.5), L2(50.0), Linf(0.01)])
def test_every_budget(
    kind: str, budget: Budget | None, request: pytest.FixtureRequest, rng: torch.Generator
) -> None:
    generator, path = request.getfixturevalue(kind)
    x, target = voice(3, 1_000, rng), labels(generator, 3)
    expected = generator(x, target, budget)
    found = OnnxGenerator.load(path)(x, target, budget)
    assert float(expected.abs().max()) > 5e-3
    torch.testing.assert_close(found, expected, rtol=0.0, atol=TOLERANCE)
    if budget is not None:
        assert bool(budget.satisfied(x, found).all())
    assert float((x + found).abs().max()) <= 1.0


def test_quietness_is_an_input(spectral: Pair, rng: torch.Generator) -> None:
    generator, path = spectral
    exported = OnnxGenerator.load(path)
    x, target = voice(2, 1_000, rng), labels(generator, 2)
    quietness = torch.tensor([0.0, 1.0])
    found = exported(x, target, quietness=quietness)
    torch.testing.assert_close(
        found, generator(x, target, quietness=quietness), rtol=0.0, atol=1e-5
    )
    loud = exported(x, target)
    assert torch.equal(found[0], loud[0])
    assert float((found[1] - loud[1]).abs().max()) > 1e-4


@pytest.mark.parametrize(
    "changes",
    [
        {"bands": 0},
        {"phase": True},
        {"relative": False},
        {"relative": False, "phase": True, "dial": False, "bands": 0},
        {"dial": False},
        {"template": True},
        {"template": True, "relative": False, "dial": False},
        {"patch": 1, "phase": True},
        {"patch": 3},
        {"patch": 4, "dial": False},
        {"floor": 0.0, "kernel": 1},
        {"window": 18, "hop": 9},  # its transform cannot be folded twice
    ],
    ids=str,
)
def test_every_spectral_network(
    changes: dict[str, Any], tmp_path: Path, rng: torch.Generator
) -> None:
    generator, path = make(tmp_path, network=replace(SPECTRAL, **changes))
    exported = OnnxGenerator.load(path)
    for batch, time in ((1, 1), (1, 17), (2, 47), (3, 48), (2, 49), (1, 400), (3, 1_003)):
        x, target = 0.2 * torch.randn(batch, 1, time, generator=rng), labels(generator, batch)
        extra = {"quietness": torch.rand(batch, generator=rng)} if exported.dial else {}
        for level in (1.0, 1e-4, 0.0):
            expected = generator(level * x, target, SNR(15.0), **extra)
            found = exported(level * x, target, SNR(15.0), **extra)
            assert found.shape == expected.shape
            torch.testing.assert_close(found, expected, rtol=0.0, atol=2e-5 * level)


@pytest.mark.parametrize("db", [-300.0, -10.0, 0.0, 20.0, 120.0, 300.0])
def test_no_budget_is_exceeded(spectral: Pair, db: float, rng: torch.Generator) -> None:
    generator, path = spectral
    exported, budget = OnnxGenerator.load(path), SNR(db)
    for time in (1, 401, 20_001):
        for level in (1.0, 1e-3, 1e-6, 1e-12):
            x = level * voice(2, time, rng)
            delta = exported(x, labels(generator, 2), budget)
            assert bool((budget.norm(delta) <= budget.bound(x)).all())
            assert float((x + delta).abs().max()) <= 1.0


@pytest.mark.parametrize("kind", ["spectral", "unet", "shipped"])
def test_silence_stays_silent(kind: str, request: pytest.FixtureRequest) -> None:
    generator, path = request.getfixturevalue(kind)
    x = torch.zeros(2, 1, 4_000)
    assert not OnnxGenerator.load(path)(x, labels(generator, 2), SNR(20.0)).any()


def test_a_generator_attack_takes_it(shipped: Pair, rng: torch.Generator) -> None:
    generator, path = shipped
    classifier = load_classifier(resolve(Path("zoo:speech-commands")))
    x = voice(4, classifier.clip_samples, rng)
    exported: Any = load_onnx(path, classifier, threads=1)
    results = [
        GeneratorAttack(generator=each)(classifier, x, labels(generator, 4), budget=SNR(20.0))
        for each in (generator, exported)
    ]
    assert results[0].x_adv.shape == results[1].x_adv.shape
    step = 1 / 32_768
    assert float((results[0].x_adv - results[1].x_adv).abs().max()) <= 1.5 * step


# ------------------------------------------------------------------ the file


def test_the_file_says_all_about_itself(spectral: Pair) -> None:
    generator, path = spectral
    exported = OnnxGenerator.load(path)
    assert exported.config == generator.config
    assert exported.budget == SNR(20.0)
    assert exported.name == generator.name == "spectral"
    assert exported.fingerprint() == generator.fingerprint()
    assert exported.parameter_count() == generator.parameter_count()
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    entries = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(entries["mondegreen.generator"]) == json.loads(
        json.dumps(to_dict(generator.config))
    )
    assert b"site-packages" not in path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()


def test_batch_and_time_are_free(spectral: Pair, unet: Pair) -> None:
    for (_, path), extra in ((spectral, ["quietness"]), (unet, [])):
        graph = onnx.load(path).graph
        assert [entry.name for entry in graph.input] == ["waveform", "target", "snr_db", *extra]
        assert [entry.name for entry in graph.output] == ["delta", "proposal"]
        for entry in (graph.input[0], *graph.output):
            shape = entry.type.tensor_type.shape.dim
            assert (shape[0].dim_param, shape[1].dim_value) == ("batch", 1)
            assert shape[2].dim_param == "time"


def test_it_runs_without_this_package(shipped: Pair, rng: torch.Generator) -> None:
    generator, path = shipped
    x, target = voice(1, 16_000, rng), labels(generator, 1)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {
        "waveform": x.numpy(),
        "target": target.numpy(),
        "snr_db": np.array([25.0], dtype=np.float32),
        "quietness": np.array([0.0], dtype=np.float32),
    }
    delta = torch.from_numpy(session.run(["delta"], feeds)[0])
    torch.testing.assert_close(delta, generator(x, target, SNR(25.0)), rtol=0.0, atol=TOLERANCE)


# ------------------------------------------------------------------ what is refused


def test_unknown_targets_and_dials_are_refused(spectral: Pair, unet: Pair) -> None:
    x, target = torch.zeros(2, 1, 400), torch.tensor([0, 3])
    with pytest.raises(MondegreenError, match="trained for yes, no, up, not for down"):
        OnnxGenerator.load(spectral[1])(x, target)
    with pytest.raises(MondegreenError, match="knows no quietness"):
        OnnxGenerator.load(unet[1])(x, target[:1].expand(2), quietness=0.5)


def test_another_classifier_is_refused(spectral: Pair) -> None:
    classifier = load_classifier(resolve(Path("zoo:speech-commands")))
    with pytest.raises(MondegreenError, match="trained against another classifier"):
        load_onnx(spectral[1], classifier)


def test_damaged_files_are_refused(spectral: Pair, tmp_path: Path) -> None:
    whole, path = spectral[1].read_bytes(), tmp_path / "damaged.onnx"
    with pytest.raises(MondegreenError, match="does not exist"):
        OnnxGenerator.load(path)
    for content in (b"", whole[: len(whole) // 2], b"no ONNX file", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(MondegreenError, match=r"damaged\.onnx"):
            OnnxGenerator.load(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mondegreen.format", "2", "a generator of format 2"),
        ("mondegreen.format", None, "no generator"),
        ("mondegreen.generator", "{", "metadata are damaged"),
        ("mondegreen.generator", "{}", "labels"),
    ],
)
def test_other_metadata_are_refused(
    spectral: Pair, tmp_path: Path, key: str, value: str | None, message: str
) -> None:
    model, path = onnx.load(spectral[1]), tmp_path / "other.onnx"
    entries = {entry.key: entry.value for entry in model.metadata_props}
    changed = {**entries, key: value}
    onnx.helper.set_model_props(model, {k: v for k, v in changed.items() if v is not None})
    onnx.save(model, path)
    with pytest.raises(MondegreenError, match=message):
        OnnxGenerator.load(path)


def test_a_wrong_result_is_not_written(
    spectral: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, path = spectral
    wrong, out = onnx.load(path), tmp_path / "wrong.onnx"
    monkeypatch.setattr(export, "_graph", lambda _: wrong)
    last = [node.input[1] for node in wrong.graph.node if node.op_type == "Gemm"][-1]
    for tensor in wrong.graph.initializer:  # the decoder's last matrix
        if tensor.name == last:
            values = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(1.5 * values[::-1], tensor.name))
    with pytest.raises(MondegreenError, match="differs from PyTorch's"):
        export_onnx(generator, out)
    assert not list(tmp_path.iterdir())


def test_not_a_number_counts_as_different(spectral: Pair) -> None:
    def broken(x: Tensor, target: Tensor, **_: Tensor) -> Tensor:
        return torch.full_like(x, torch.nan)

    other: Any = broken
    assert not largest_difference(spectral[0], other) <= TOLERANCE


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(
    spectral: Pair, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"'{package}'.*mondegreen\[onnx\]"):
        export_onnx(spectral[0], tmp_path / "generator.onnx")
    if package == "onnxruntime":
        with pytest.raises(MissingExtraError, match=r"mondegreen\[onnx\]"):
            OnnxGenerator.load(spectral[1])
