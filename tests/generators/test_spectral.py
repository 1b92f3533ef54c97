from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.errors import MondegreenError
from mondegreen.generators.spectral import (
    ConvNeXtBlock,
    SpectralConfig,
    SpectralGenerator,
    Spectrum,
    mel_interpolation,
)

Array = npt.NDArray[np.float64]

TINY = SpectralConfig(window=64, hop=32, width=12, blocks=2, kernel=3, bands=9, phase=True)
DIAL = replace(TINY, dial=True)


def noise(batch: int, samples: int, seed: int = 0, level: float = 0.1) -> Tensor:
    return level * torch.randn(batch, 1, samples, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def tiny() -> SpectralGenerator:
    """A small generator with random weights, for four targets."""
    torch.manual_seed(3)
    return SpectralGenerator(TINY, targets=4, clip_samples=256).requires_grad_(False).eval()


def propose(
    generator: SpectralGenerator, x: Tensor, target: int = 0, snr_db: float = 20.0
) -> Tensor:
    batch = len(x)
    return generator.propose(x, torch.full((batch,), target), torch.full((batch,), snr_db))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40_000), st.integers(32, 512), st.integers(0, 99))
def test_the_inverse_gives_the_waveform_back(time: int, hop: int, seed: int) -> None:
    x = 2 * torch.rand(2, time, generator=torch.Generator().manual_seed(seed)) - 1
    spectrum = Spectrum(2 * hop)
    frames = spectrum(x)
    assert frames.shape == (2, 2, math.ceil(time / hop) + 1, hop + 1)
    assert (spectrum.inverse(frames, time) - x).abs().max() <= 1e-5


def test_frames_are_those_of_scipy() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 1000)
    taper = np.sqrt(scipy.signal.get_window("hann", 128))
    reference = scipy.signal.ShortTimeFFT(taper, hop=64, fs=1.0)
    # SciPy centres frame p at sample 64 p; here frame 0 ends at sample 64.
    wanted = reference.stft(x, p0=0, p1=17, padding="zeros")
    real, imaginary = Spectrum(128)(torch.tensor(x, dtype=torch.float32)[None])[:, 0].numpy()
    found = (real + 1j * imaginary).T
    assert found.shape == wanted.shape
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-4)


def test_a_tone_is_in_its_bin() -> None:
    x = torch.cos(2 * math.pi * 20 / 256 * torch.arange(4096))[None]
    magnitude = torch.linalg.vector_norm(Spectrum(256)(x), dim=0)
    assert (magnitude[0, 2:-2].argmax(dim=1) == 20).all()


@settings(max_examples=30, deadline=None)
@given(time=st.integers(1, 3000), batch=st.integers(1, 3))
def test_clips_of_any_length(time: int, batch: int, tiny: SpectralGenerator) -> None:
    delta = propose(tiny, noise(batch, time))
    assert delta.shape == (batch, 1, time)
    assert torch.isfinite(delta).all() and delta.any()


@settings(max_examples=20, deadline=None)
@given(factor=st.floats(0.05, 20.0), seed=st.integers(0, 99))
def test_the_perturbation_grows_with_the_clip(
    factor: float, seed: int, tiny: SpectralGenerator
) -> None:
    x = noise(2, 700, seed, level=0.02)
    once, scaled = propose(tiny, x), propose(tiny, factor * x)
    assert once.abs().max() > 1e-4
    torch.testing.assert_close(scaled, factor * once, rtol=1e-3, atol=2e-4 * factor * 0.02)


def test_twice_the_clip_gets_twice_the_perturbation(tiny: SpectralGenerator) -> None:
    x = noise(1, 1000)
    torch.testing.assert_close(propose(tiny, 2 * x), 2 * propose(tiny, x), rtol=1e-4, atol=1e-6)


def test_target_and_budget_matter(tiny: SpectralGenerator) -> None:
    x = noise(1, 1000)
    usual = propose(tiny, x, 0, 20.0)
    for other in (propose(tiny, x, 1, 20.0), propose(tiny, x, 0, 30.0)):
        assert (other - usual).norm() > 1e-3 * usual.norm()


def test_each_clip_is_perturbed_by_itself(tiny: SpectralGenerator) -> None:
    x = torch.cat([noise(1, 500), noise(1, 500, 1, 0.5), torch.zeros(1, 1, 500)])
    target, snr_db = torch.tensor([3, 0, 1]), torch.tensor([10.0, 20.0, 40.0])
    together = tiny.propose(x, target, snr_db)
    for i in range(3):
        alone = tiny.propose(x[i : i + 1], target[i : i + 1], snr_db[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-6)


def test_the_same_input_gives_the_same_perturbation(tiny: SpectralGenerator) -> None:
    x = noise(2, 900)
    first = propose(tiny, x)
    torch.rand(3)
    assert torch.equal(propose(tiny, x), first)
    torch.manual_seed(3)
    again = SpectralGenerator(TINY, targets=4, clip_samples=256).eval()
    assert torch.equal(propose(again, x), first)


@pytest.mark.parametrize("kind", ["silence", "half silence", "impulse", "square", "faint"])
def test_gradients_are_finite(kind: str) -> None:
    torch.manual_seed(0)
    generator = SpectralGenerator(TINY, targets=2, clip_samples=256)
    x = torch.zeros(1, 1, 400)
    if kind == "half silence":
        x[..., 200:] = noise(1, 200)
    elif kind == "impulse":
        x[..., 7] = 1.0
    elif kind == "square":
        x = torch.sign(torch.sin(torch.arange(400.0) / 9) + 0.1)[None, None]
    elif kind == "faint":
        x = noise(1, 400, level=1e-8)
    x.requires_grad_()
    delta = propose(generator, x)
    (delta * noise(1, 400, 1)).sum().backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(delta).all()
    assert delta.any() == (kind != "silence")
    for tensor in (x, *generator.parameters()):
        assert tensor.grad is not None and torch.isfinite(tensor.grad).all()


def test_gradients_agree_with_finite_differences() -> None:
    torch.manual_seed(0)
    config = SpectralConfig(window=16, hop=8, width=4, blocks=1, kernel=3, expansion=1)
    generator = SpectralGenerator(config, targets=2, clip_samples=256).double()
    x = noise(1, 21, level=0.5).double().requires_grad_()
    target, snr_db = torch.tensor([1]), torch.tensor([20.0], dtype=torch.float64)
    check: Callable[..., Any] = torch.autograd.gradcheck
    assert check(lambda clip: generator.propose(clip, target, snr_db), (x,), atol=1e-4)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    generator = SpectralGenerator(TINY, targets=2, clip_samples=256)
    x = noise(2, 500)
    delta = generator.propose(x, torch.tensor([0, 1]), torch.tensor([10.0, 30.0]))
    (delta * noise(2, 500, 1)).sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_the_perturbation_has_the_clips_phase_and_level_but_for_the_gain() -> None:
    """With a gain of one everywhere it is the clip, each bin a little louder by the floor."""
    generator = SpectralGenerator(SpectralConfig(window=64, hop=32, width=4, floor=0.0), 1, 256)
    generator.requires_grad_(False)
    with torch.no_grad():
        generator.decode.weight.zero_()
        real_part = torch.tensor([1.0, 0.0]).repeat_interleave(96).repeat(2)
        generator.decode.bias.copy_(real_part)
    x = noise(1, 640)
    torch.testing.assert_close(propose(generator, x), x, atol=1e-5, rtol=1e-4)
    generator.config = replace(generator.config, floor=0.5)
    bins = torch.complex(*generator.spectrum(x[:, 0]))
    spectrum = torch.polar(bins.abs() + 0.5 * bins.abs().mean(), bins.angle())
    planes = torch.stack([spectrum.real, spectrum.imag])
    wanted = generator.spectrum.inverse(planes, 640)[:, None]
    torch.testing.assert_close(propose(generator, x), wanted, atol=1e-4, rtol=1e-3)


def test_gains_are_interpolated_on_the_mel_scale() -> None:
    mel = 2595 * np.log10(1 + np.linspace(0, 8000, 257) / 700)
    values = np.random.default_rng(0).standard_normal(20)
    wanted = np.interp(mel, np.linspace(0, mel[-1], 20), values)
    found = torch.from_numpy(values).float() @ mel_interpolation(20, 257)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_a_dial_without_quietness_keeps_the_wanted_ratio() -> None:
    torch.manual_seed(1)
    generator = SpectralGenerator(DIAL, targets=2, clip_samples=256).requires_grad_(False)
    x, snr_db = noise(2, 3000), torch.tensor([10.0, 30.0])
    for quietness in (None, torch.zeros(2)):
        delta = generator.propose(x, torch.tensor([0, 1]), snr_db, quietness)
        found = 10 * torch.log10(x.square().sum(dim=(1, 2)) / delta.square().sum(dim=(1, 2)))
        torch.testing.assert_close(found, snr_db, atol=0.02, rtol=0)


def test_a_dial_turned_up_never_gives_more_than_the_budget() -> None:
    torch.manual_seed(1)
    generator = SpectralGenerator(DIAL, targets=2, clip_samples=256).requires_grad_(False)
    x, snr_db = noise(2, 3000), torch.full((2,), 20.0)
    target, quietness = torch.tensor([0, 1]), torch.tensor([0.5, 1.0])
    loud = generator.propose(x, target, snr_db)
    quiet = generator.propose(x, target, snr_db, quietness)
    assert (quiet.square().sum(dim=2) < loud.square().sum(dim=2)).all()
    silent = generator.propose(torch.zeros(2, 1, 3000), target, snr_db, quietness)
    assert not silent.any()


def test_the_dial_reaches_the_level_by_its_gradient() -> None:
    """The budget alone fixes the level, so quietness needs a handle of its own."""
    torch.manual_seed(1)
    generator = SpectralGenerator(DIAL, targets=2, clip_samples=256)
    target, snr_db = torch.tensor([0]), torch.tensor([20.0])
    delta = generator.propose(noise(1, 900), target, snr_db, torch.ones(1))
    delta.square().sum().backward()  # type: ignore[no-untyped-call]
    assert generator.attenuate is not None and generator.attenuate.bias.grad is not None
    assert generator.attenuate.bias.grad.item() < 0.0


def test_a_template_is_added_at_the_level_of_the_clip() -> None:
    torch.manual_seed(1)
    plain = SpectralGenerator(TINY, targets=2, clip_samples=256)
    generator = SpectralGenerator(replace(TINY, template=True), targets=2, clip_samples=256)
    generator.load_state_dict(plain.state_dict(), strict=False)
    assert generator.template is not None
    x = noise(2, 600)
    assert torch.equal(propose(generator, x, 1), propose(plain, x, 1))  # as it begins
    wave = torch.randn(256)
    with torch.no_grad():
        generator.template.weight[1] = wave
    assert torch.equal(propose(generator, x, 0), propose(plain, x, 0))
    level = x.square().mean(dim=2, keepdim=True).sqrt()
    expected = level * torch.cat([wave, wave, wave[:88]])
    torch.testing.assert_close(propose(generator, x, 1) - propose(plain, x, 1), expected)


@pytest.mark.parametrize("relative", [True, False])
def test_mixed_precision_draws_in_full_precision(
    relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    config = replace(TINY, relative=relative)
    generator = SpectralGenerator(config, targets=2, clip_samples=256).requires_grad_(False)
    x, drawn = noise(2, 600), list[torch.dtype]()
    inverse = generator.spectrum.inverse

    def spy(gain: Tensor, time: int) -> Tensor:
        drawn.append(gain.dtype)
        return inverse(gain, time)

    monkeypatch.setattr(generator.spectrum, "inverse", spy)
    with torch.autocast("cpu", torch.bfloat16):
        delta = propose(generator, x)
    assert drawn == [torch.float32] and delta.dtype == torch.float32


def test_a_block_knows_the_whole_clip_and_its_condition() -> None:
    torch.manual_seed(0)
    block = ConvNeXtBlock(width=6, expansion=2, kernel=3)
    h, scale, shift = torch.randn(1, 40, 6), torch.randn(1, 1, 6), torch.randn(1, 1, 6)
    usual = block(h, scale, shift)
    assert usual.shape == h.shape
    changed = h.clone()
    changed[0, 39] += torch.arange(6.0)
    assert (block(changed, scale, shift)[0, 0] - usual[0, 0]).abs().max() > 1e-5
    for other in (block(h, -scale, shift), block(h, scale, -shift)):
        assert (other - usual).abs().max() > 1e-3


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_a_block_gives_the_same_with_and_without_gradients(kernel: int) -> None:
    """Without gradients, few clips take another way to the same sums."""
    torch.manual_seed(0)
    block = ConvNeXtBlock(width=6, expansion=2, kernel=kernel)
    for batch in (1, 8):
        h, scale, shift = torch.randn(batch, 9, 6), torch.randn(batch, 1, 6), torch.zeros(1, 1, 6)
        usual = block(h, scale, shift)
        with torch.no_grad():
            torch.testing.assert_close(block(h, scale, shift), usual.detach())


def count(config: SpectralConfig, targets: int) -> int:
    """The number of weights, layer by layer."""
    w, e, bins = config.width, config.expansion, config.window // 2 + 1

    def linear(inputs: int, outputs: int) -> int:
        return (inputs + 1) * outputs

    block = (config.kernel + 1) * w + linear(w, w) + linear(w, e * w) + linear(e * w, w)
    features = config.patch * bins * (3 if config.phase else 1)
    ends = linear(features, w) + linear(w, 2 * config.patch * (config.bands or bins))
    norms = linear(w, 2 * w * (config.blocks + 1))
    dial = 2 * w + 1 if config.dial else 0
    return targets * w + linear(1, w) + dial + ends + norms + config.blocks * block


def test_the_number_of_weights() -> None:
    for config in (SpectralConfig(), TINY, DIAL, SpectralConfig(bands=0, width=32)):
        generator = SpectralGenerator(config, targets=10, clip_samples=256)
        found = sum(parameter.numel() for parameter in generator.parameters())
        assert found == count(config, 10)
    assert count(SpectralConfig(), 10) == 1_044_736


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"hop": 128}, "twice the hop"),
        ({"window": 8, "hop": 4}, "twice the hop"),
        ({"width": 0}, "must be positive"),
        ({"blocks": 0}, "must be positive"),
        ({"blocks": 10**9}, "blocks is 1000000000"),
        ({"expansion": -1}, "must be positive"),
        ({"kernel": 6}, "kernel odd"),
        ({"patch": 0}, "must be positive"),
        ({"bands": 1}, "bands is 1"),
        ({"bands": -3}, "bands is -3"),
        ({"floor": -0.1}, "floor is -0.1"),
        ({"floor": math.nan}, "floor is nan"),
    ],
)
def test_impossible_sizes_are_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(MondegreenError, match=complaint):
        SpectralConfig(**wrong)
