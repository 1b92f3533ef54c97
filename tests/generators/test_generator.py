from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mondegreen.budgets import L2, SNR, Budget, Linf
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import (
    Generator,
    GeneratorConfig,
    NetworkConfig,
    describe_classifier,
    load_generator,
    save_generator,
)
from mondegreen.generators.spectral import SpectralConfig, SpectralGenerator
from mondegreen.generators.unet import UNetConfig

LABELS = ("yes", "no", "up")
NETWORKS: dict[str, NetworkConfig] = {
    "spectral": SpectralConfig(window=32, hop=16, width=8, blocks=1, kernel=3),
    "unet": UNetConfig(width=0.01),
}
CONFIG = GeneratorConfig(
    network=NETWORKS["spectral"],
    labels=LABELS,
    targets=LABELS,
    classifier_name="tiny",
    classifier_fingerprint="0123456789abcdef",
    sample_rate=16_000,
    clip_samples=400,
    budget_db=20.0,
)
JSON, WEIGHTS = "generator.json", "generator.safetensors"


def build(kind: str, **changes: Any) -> Generator:
    """A generator whose proposals are loud, so that budgets and full scale bind."""
    torch.manual_seed(1)
    generator = Generator(replace(CONFIG, network=NETWORKS[kind], **changes))
    generator.requires_grad_(False).eval()
    if kind == "unet":
        for parameter in generator.parameters():
            parameter.mul_(3.0)
    return generator


def spectral(generator: Generator) -> SpectralGenerator:
    assert isinstance(generator.network, SpectralGenerator)
    return generator.network


@pytest.fixture(scope="module")
def generators() -> dict[str, Generator]:
    """One generator of each kind, for all three labels."""
    return {kind: build(kind) for kind in NETWORKS}


@pytest.fixture
def classifier() -> Classifier:
    """A linear classifier of short clips."""
    torch.manual_seed(2)
    module = nn.Sequential(nn.Flatten(), nn.Linear(400, 3))
    return Classifier(module, labels=LABELS, sample_rate=16_000, clip_samples=400, name="linear")


def excess_db(budget: Budget, x: Tensor, delta: Tensor) -> npt.NDArray[np.float64]:
    """By how many dB the perturbation of every clip exceeds the budget, computed by NumPy."""
    signal, noise = (t.double().numpy().reshape(len(t), -1) for t in (x, delta))
    norm = np.sqrt((noise**2).sum(axis=1))
    bound = np.full(len(x), budget.value)
    if isinstance(budget, Linf):
        norm = np.abs(noise).max(axis=1)
    elif isinstance(budget, SNR):
        bound = np.sqrt((signal**2).sum(axis=1) / 10 ** (budget.value / 10))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norm == 0, -math.inf, 20 * (np.log10(norm) - np.log10(bound)))


@st.composite
def clips(draw: st.DrawFn) -> Tensor:
    """Three clips of mixed kinds and levels, full scale and silence among them."""
    samples = draw(st.sampled_from([1, 17, 256, 400]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = []
    for _ in range(3):
        level = draw(st.sampled_from([1.0, 0.999, 0.75, 0.1, 1e-3, 3e-5, 1e-8]))
        kind = draw(st.sampled_from(["noise", "square", "silence", "constant", "tone"]))
        row = np.zeros(samples)
        if kind == "noise":
            row = random.uniform(-1, 1, samples)
        elif kind == "square":
            row = np.sign(random.standard_normal(samples))
        elif kind == "constant":
            row = np.ones(samples)
        elif kind == "tone":
            row = np.sin(np.arange(samples) * random.uniform(0.01, 3))
        rows.append(level * row)
    return torch.tensor(np.stack(rows)[:, None], dtype=torch.float32)


budgets = st.one_of(
    st.floats(-10, 120).map(SNR),
    st.floats(0, 5).map(L2),
    st.floats(1e-9, 1e-3).map(L2),
    st.floats(0, 1).map(Linf),
    st.floats(1e-9, 1e-4).map(Linf),
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(NETWORKS)), clips(), budgets, st.lists(st.integers(0, 2)).map(tuple))
def test_every_clip_keeps_its_budget_and_full_scale(
    generators: dict[str, Generator], kind: str, x: Tensor, budget: Budget, seed: tuple[int, ...]
) -> None:
    target = torch.tensor((*seed, 0, 1, 2)[:3])
    delta = generators[kind](x, target, budget)
    assert delta.shape == x.shape and torch.isfinite(delta).all()
    assert (excess_db(budget, x, delta) <= 1e-9).all()
    assert (x + delta).abs().max() <= 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(NETWORKS)), clips(), st.lists(st.floats(-5, 80), min_size=3, max_size=3)
)
def test_every_clip_keeps_a_budget_of_its_own(
    generators: dict[str, Generator], kind: str, x: Tensor, ratios: list[float]
) -> None:
    delta = generators[kind](x, torch.arange(3), snr_db=torch.tensor(ratios))
    for i, db in enumerate(ratios):
        excess = excess_db(SNR(db), x[i : i + 1], delta[i : i + 1])
        assert excess[0] <= 1e-5  # the ratio itself is rounded to float32
    assert (x + delta).abs().max() <= 1.0


@pytest.mark.parametrize("kind", NETWORKS)
def test_loud_proposals_reach_their_budget(generators: dict[str, Generator], kind: str) -> None:
    x = 0.1 * torch.randn(3, 1, 400, generator=torch.Generator().manual_seed(0))
    for budget in (SNR(20), SNR(45), L2(0.01), Linf(1e-4)):
        delta = generators[kind](x, torch.arange(3), budget)
        assert (excess_db(budget, x, delta) > -1e-4).all()


@pytest.mark.parametrize("kind", NETWORKS)
def test_its_own_budget_is_the_default(generators: dict[str, Generator], kind: str) -> None:
    generator = generators[kind]
    assert generator.budget == SNR(20.0) and generator.name == kind
    x = 0.1 * torch.randn(3, 1, 400, generator=torch.Generator().manual_seed(0))
    target = torch.arange(3)
    delta = generator(x, target)
    assert torch.equal(generator(x, target, SNR(20.0)), delta)
    per_clip = generator(x, target, snr_db=torch.full((3,), 20.0))
    torch.testing.assert_close(per_clip, delta, rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", NETWORKS)
def test_without_a_budget_only_full_scale_limits(kind: str) -> None:
    generator = build(kind, budget_db=None)
    assert generator.budget is None
    x = torch.rand(2, 1, 400, generator=torch.Generator().manual_seed(0)) * 2 - 1
    delta = generator(x, torch.tensor([0, 1]))
    assert (excess_db(SNR(20), x, delta) > 0).all()
    assert (x + delta).abs().max() <= 1.0


@pytest.mark.parametrize(
    ("budget", "equivalent"),
    # 400 samples of 0.5: the energy is 100. Linf(eps) allows eps² / 3 a sample (uniform noise).
    [(L2(1.0), 20.0), (Linf(0.05), 10 * math.log10(100 / (0.05**2 * 400 / 3))), (L2(0.0), 60.0)],
    ids=repr,
)
def test_other_budgets_condition_the_network_as_a_ratio(
    budget: Budget, equivalent: float, generators: dict[str, Generator]
) -> None:
    seen: list[Tensor] = []
    hook = spectral(generators["spectral"]).budget_embedding.register_forward_pre_hook(
        lambda _, inputs: seen.append(10 * (inputs[0] + 2))
    )
    generators["spectral"](torch.full((1, 1, 400), 0.5), torch.tensor([0]), budget)
    hook.remove()
    assert seen[0].item() == pytest.approx(equivalent, rel=1e-4)


def test_gradients_pass_where_nothing_is_clipped(generators: dict[str, Generator]) -> None:
    generator = build("spectral", budget_db=None).requires_grad_(True)
    x = 0.1 * torch.randn(1, 1, 400, generator=torch.Generator().manual_seed(0))
    proposal = spectral(generator).propose(x, torch.tensor([1]), torch.tensor([20.0]))
    delta = generator(x, torch.tensor([1]))
    torch.testing.assert_close(delta, proposal)
    delta.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in generator.parameters())


def test_targets_are_the_labels_it_was_trained_for() -> None:
    generator = build("spectral", targets=("up", "yes"))
    x = 0.1 * torch.randn(2, 1, 400, generator=torch.Generator().manual_seed(0))
    delta = generator(x, torch.tensor([2, 0]))
    slots = spectral(generator).propose(x, torch.tensor([0, 1]), torch.full((2,), 20.0))
    torch.testing.assert_close(delta, SNR(20.0).project(x, slots))
    with pytest.raises(MondegreenError, match="was trained for up, yes, not for no"):
        generator(x, torch.tensor([0, 1]))


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_generator_of_one_target_refuses_the_others(kind: str) -> None:
    generator = build(kind, targets=("no",))
    x = 0.1 * torch.randn(2, 1, 400, generator=torch.Generator().manual_seed(0))
    assert generator(x, torch.tensor([1, 1])).any()
    with pytest.raises(MondegreenError, match="was trained for no, not for up, yes"):
        generator(x, torch.tensor([0, 2]))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"targets": ("no", "never")}, "unknown target 'never': the classifier knows yes, no, up"),
        ({"targets": ()}, "distinct targets"),
        ({"targets": ("no", "no")}, "distinct targets"),
        ({"budget_db": 1e6}, "out of range"),
        ({"clip_samples": 0}, "clip_samples 0"),
        ({"sample_rate": -1}, "sample_rate -1"),
    ],
)
def test_impossible_generators_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(MondegreenError, match=complaint):
        replace(CONFIG, **changes)


def test_it_is_described_by_its_classifier(classifier: Classifier) -> None:
    config = describe_classifier(classifier, UNetConfig(), ("up",), None)
    assert config == GeneratorConfig(
        network=UNetConfig(),
        labels=LABELS,
        targets=("up",),
        classifier_name="linear",
        classifier_fingerprint=classifier.fingerprint(),
        sample_rate=16_000,
        clip_samples=400,
        budget_db=None,
    )
    assert describe_classifier(classifier, UNetConfig(), (), 20.0).targets == LABELS


@pytest.mark.parametrize("where", ["folder", "file", "best"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_saved_and_loaded_it_is_the_same(
    kind: str, where: str, generators: dict[str, Generator], tmp_path: Path
) -> None:
    saved = generators[kind]
    save_generator(tmp_path / "checkpoints" / "best" if where == "best" else tmp_path, saved)
    loaded = load_generator(tmp_path / JSON if where == "file" else tmp_path)
    assert loaded.config == saved.config
    assert loaded.parameter_count() == saved.parameter_count() > 0
    x = 0.1 * torch.randn(3, 1, 400, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(x, torch.arange(3)), saved(x, torch.arange(3)))
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_it_belongs_to_its_classifier(classifier: Classifier, tmp_path: Path) -> None:
    config = describe_classifier(classifier, NETWORKS["spectral"], (), 20.0)
    save_generator(tmp_path, Generator(config))
    assert load_generator(tmp_path, classifier).config == config
    with torch.no_grad():
        next(classifier.parameters())[0, 0] += 1e-3
    with pytest.raises(MondegreenError, match=r"another classifier \(linear .*Give the classifier"):
        load_generator(tmp_path, classifier)
    assert load_generator(tmp_path).config == config


def test_an_empty_folder_has_no_generator(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="no trained generator"):
        load_generator(tmp_path)
