"""Budgets are kept by every clip, before and after rounding to 16 bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mondegreen.audio import Normalization, quantize
from mondegreen.budgets import (
    L2,
    MAX_DB,
    SNR,
    Budget,
    BudgetError,
    Linf,
    parse_budget,
    quantize_within,
)
from mondegreen.errors import MondegreenError

EXAMPLES: list[Budget] = [SNR(20), SNR(0), SNR(-6), SNR(60), L2(0.5), L2(0), Linf(0.002), Linf(0)]
FEW = settings(max_examples=60, deadline=None)


def excess_db(budget: Budget, x: Tensor, delta: Tensor) -> npt.NDArray[np.float64]:
    """By how many dB the perturbation of every clip exceeds the budget, computed by NumPy."""
    signal = x.double().numpy().reshape(len(x), -1)
    noise = delta.double().numpy().reshape(len(delta), -1)
    if isinstance(budget, Linf):
        norm, bound = np.abs(noise).max(axis=1), np.full(len(x), budget.eps)
    else:
        norm = np.sqrt((noise**2).sum(axis=1))
        energy = (signal**2).sum(axis=1)
        bound = (
            np.sqrt(energy / 10 ** (budget.value / 10))
            if isinstance(budget, SNR)
            else np.full(len(x), budget.value)
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norm == 0, -math.inf, 20 * (np.log10(norm) - np.log10(bound)))


budgets = st.one_of(
    st.floats(-20, 80).map(SNR),
    st.floats(0, 30).map(L2),
    st.floats(1e-6, 1e-3).map(L2),
    st.floats(0, 2).map(Linf),
    st.floats(0, 1e-4).map(Linf),
)
normalizations = st.sampled_from(["pcm", "paper"])


@st.composite
def clips(draw: st.DrawFn, batch: int = 3) -> Tensor:
    """A batch of clips of mixed kinds and amplitudes, sometimes of a single sample."""
    samples = draw(st.sampled_from([1, 2, 17, 400]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = []
    for _ in range(batch):
        kind = draw(st.sampled_from(["noise", "square", "silence", "constant", "impulse"]))
        amplitude = draw(st.sampled_from([1.0, 0.9999, 0.1, 1e-3, 1e-4, 3e-5, 1e-6, 1e-20]))
        row = np.zeros(samples)
        if kind == "noise":
            row = random.uniform(-1, 1, samples)
        elif kind == "square":
            row = np.sign(random.standard_normal(samples))
        elif kind == "constant":
            row = np.ones(samples)
        elif kind == "impulse":
            row[random.integers(samples)] = 1.0
        rows.append(amplitude * row)
    return torch.tensor(np.stack(rows)[:, None], dtype=torch.float32)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Clips and perturbations of the same shape."""
    x, delta = draw(clips()), draw(clips())
    samples = min(x.shape[2], delta.shape[2])
    return x[..., :samples], draw(st.sampled_from([1e-4, 0.1, 1.0, 50.0])) * delta[..., :samples]


@FEW
@given(pairs(), budgets)
def test_projection_keeps_the_budget_and_is_idempotent(
    pair: tuple[Tensor, Tensor], budget: Budget
) -> None:
    x, delta = pair
    projected = budget.project(x, delta)
    assert projected.shape == x.shape and projected.dtype == torch.float32
    assert (excess_db(budget, x, projected) <= 1e-9).all()
    assert budget.satisfied(x, projected).all()
    assert torch.equal(budget.project(x, projected), projected)


@FEW
@given(pairs(), budgets)
def test_projection_is_the_identity_inside_and_reaches_the_bound_outside(
    pair: tuple[Tensor, Tensor], budget: Budget
) -> None:
    x, delta = pair
    excess = excess_db(budget, x, delta)
    projected = budget.project(x, delta)
    inside = torch.from_numpy(excess < -1e-6)
    assert torch.equal(projected[inside], delta[inside])
    reached = excess_db(budget, x, projected)
    measurable = (excess > 1e-6) & (budget.bound(x).numpy() > 1e-25)
    assert (reached[measurable] > -1e-4).all()


@FEW
@given(pairs(), budgets, normalizations)
def test_the_budget_survives_the_16_bit_round_trip(
    pair: tuple[Tensor, Tensor], budget: Budget, normalization: Normalization
) -> None:
    x, delta = pair
    reference = quantize(x, normalization)
    for wanted in (delta, budget.project(reference, delta)):
        x_adv = quantize_within(x, wanted, budget, normalization)
        assert torch.equal(quantize(x_adv, normalization), x_adv)
        assert x_adv.abs().max() <= 1.0
        assert (excess_db(budget, reference, x_adv - reference) <= 1e-4).all()
        again = quantize_within(x, x_adv - reference, budget, normalization)
        assert torch.equal(again, x_adv)


@FEW
@given(pairs(), normalizations)
def test_rounding_is_to_the_nearest_step_inside_the_budget(
    pair: tuple[Tensor, Tensor], normalization: Normalization
) -> None:
    x, delta = pair
    reference = quantize(x, normalization)
    x_adv = quantize_within(x, delta, Linf(4.0), normalization)
    wanted = (reference.double() + delta.double()).clamp(-1, 32767 / 32768)
    assert ((x_adv.double() - wanted).abs() <= 0.501 / 32767.5 + 1 / 65535).all()
    inner = wanted.abs() < 0.999
    assert ((x_adv.double() - wanted).abs()[inner] <= 0.501 / 32767.5).all()


def test_quantizing_gives_the_most_that_fits() -> None:
    x = torch.zeros(1, 1, 4)
    delta = torch.tensor([[[10.4, -20.4, 30.4, 5.6]]]) / 32768
    # The rounded norm of delta is beyond 37 steps, that of 0.97 delta is (10, -20, 29, 5).
    x_adv = quantize_within(x, delta, L2(37.1 / 32768)) * 32768
    assert x_adv.tolist() == [[[10.0, -20.0, 29.0, 5.0]]]


@pytest.mark.parametrize("level", [0.9, 0.77, 0.61])
def test_quantizing_wastes_no_step(level: float) -> None:
    x = torch.zeros(1, 1, 4)
    x_adv = quantize_within(x, torch.full_like(x, level), Linf(0.5))
    assert torch.equal(x_adv, torch.full_like(x, 0.5))


def test_what_is_not_perturbed_keeps_its_full_scale() -> None:
    x = torch.tensor([[[-1.0, 32767 / 32768]]])
    assert torch.equal(quantize_within(x, torch.zeros_like(x), SNR(20)), x)


def test_the_bound_is_that_of_the_clip_in_the_file() -> None:
    x = torch.full((1, 1, 4000), 0.4 / 32768)  # a file holds silence
    assert not quantize_within(x, 3 * x, SNR(-10)).any()


def test_a_budget_below_one_step_leaves_the_clip_alone() -> None:
    x = torch.full((1, 1, 8), 1e-3)
    assert torch.equal(quantize_within(x, x, Linf(0.4 / 32768)), quantize(x))


def test_a_clipping_square_wave_keeps_its_budget() -> None:
    x = torch.sign(torch.sin(torch.arange(4000.0)))[None, None]
    delta = SNR(10).project(x, torch.sin(torch.arange(4000.0) * 0.3)[None, None])
    for normalization in get_args(Normalization):
        x_adv = quantize_within(x, delta, SNR(10), normalization)
        reference = quantize(x, normalization)
        assert x_adv.abs().max() <= 1 and not torch.equal(x_adv, reference)
        assert excess_db(SNR(10), reference, x_adv - reference)[0] <= 1e-4


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_quantizing_refuses_a_perturbation_that_is_not_finite(bad: float) -> None:
    delta = torch.zeros(2, 1, 5)
    delta[1, 0, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        quantize_within(torch.zeros(2, 1, 5), delta, SNR(20))


@pytest.mark.parametrize(
    ("budget", "amplitude"), [(SNR(20), 1.0), (SNR(80), 1e-6), (L2(1e-4), 1.0), (Linf(1e-8), 1e-6)]
)
def test_ten_minutes_keep_the_budget(
    budget: Budget, amplitude: float, rng: torch.Generator
) -> None:
    x = amplitude * (2 * torch.rand(1, 1, 9_600_000, generator=rng) - 1)
    delta = budget.project(x, 3 * amplitude * x.roll(1, dims=2))
    assert (excess_db(budget, x, delta) <= 1e-4).all()


def test_silence_among_sound_is_left_silent() -> None:
    x = torch.stack([torch.zeros(1, 50), torch.ones(1, 50)])
    projected = SNR(20).project(x, torch.ones_like(x))
    assert torch.equal(projected[0], torch.zeros(1, 50))
    assert torch.allclose(projected[1], torch.full((1, 50), 0.1))


def test_bounds_are_not_rounded_up() -> None:
    # The float32 next to 0.1 is 0.10000000149: more than the budget.
    projected = Linf(0.1).project(torch.zeros(1, 1, 2), torch.tensor([[[1.0, -1.0]]]))
    assert 0.0999999 < projected.double().abs().max().item() <= 0.1


def test_clips_too_quiet_for_float32_count_as_silent() -> None:
    # A tenth of 9 of the smallest steps there are would be rounded up to a whole one.
    x = torch.full((1, 1, 64), 9 * 2.0**-149)
    assert torch.equal(SNR(20).project(x, torch.ones_like(x)), torch.zeros_like(x))


def test_a_known_tone() -> None:
    time = torch.arange(16000) / 16000
    x = 0.5 * torch.sin(2 * math.pi * 440 * time)[None, None]
    delta = SNR(26).project(x, torch.sin(2 * math.pi * 3000 * time)[None, None])
    # Power ratio of two tones is the squared ratio of their amplitudes: 0.5 / 10^(26/20).
    assert delta.abs().max().item() == pytest.approx(0.5 * 10 ** (-26 / 20), rel=1e-3)


@pytest.mark.parametrize(
    ("budget", "values"),
    [
        (SNR(20), [0.0, 10.0, 40.0]),
        (L2(1), [0.0, 0.5, 2.0]),
        (Linf(1), [0.0, 0.25, 0.001]),
    ],
    ids=["snr", "l2", "linf"],
)
def test_a_value_for_every_clip(budget: Budget, values: list[float], rng: torch.Generator) -> None:
    x, delta = torch.rand(3, 1, 64, generator=rng), torch.rand(3, 1, 64, generator=rng)
    together = budget.project(x, delta, torch.tensor(values))
    one_by_one = [
        budget.with_value(value).project(x[i : i + 1], delta[i : i + 1])
        for i, value in enumerate(values)
    ]
    assert torch.allclose(together, torch.cat(one_by_one), rtol=1e-6, atol=0)
    with pytest.raises(ValueError, match="one a clip"):
        budget.project(x, delta, torch.tensor([1.0, 2.0]))


def test_the_ratio_of_every_clip_may_be_named() -> None:
    x = torch.ones(2, 1, 8)
    delta = SNR(0).project(x, x, db=torch.tensor([20.0, 40.0]))
    assert delta[:, 0, 0].tolist() == pytest.approx([0.1, 0.01], rel=1e-5)


def test_one_perturbation_for_all_clips(rng: torch.Generator) -> None:
    x, delta = torch.rand(3, 1, 64, generator=rng), torch.ones(1, 1, 64)
    for budget in (SNR(20), L2(0.5), Linf(0.1)):
        spread = budget.project(x, delta)
        assert torch.equal(spread, budget.project(x, delta.expand(3, 1, 64)))
        adversarial = quantize_within(x, delta, budget)
        assert torch.equal(adversarial, quantize_within(x, delta.expand(3, 1, 64), budget))


@pytest.mark.parametrize("budget", EXAMPLES, ids=repr)
def test_gradients_are_finite_at_zero_and_at_silence(budget: Budget) -> None:
    x = torch.stack([torch.zeros(1, 6), torch.linspace(-1, 1, 6)[None], torch.zeros(1, 6)])
    delta = torch.stack([torch.zeros(1, 6), torch.zeros(1, 6), torch.full((1, 6), 3.0)])
    x.requires_grad_()
    delta.requires_grad_()
    projected = budget.project(x, delta)
    loss = projected.square().sum() + projected.sum()
    for gradient in torch.autograd.grad(
        loss, (x, delta), allow_unused=True, materialize_grads=True
    ):
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("budget", [SNR(20), SNR(-30), L2(0.5), L2(100), Linf(0.3)], ids=repr)
def test_gradients_agree_with_finite_differences(budget: Budget, rng: torch.Generator) -> None:
    x = torch.rand(2, 1, 5, generator=rng, dtype=torch.float64).requires_grad_()
    delta = torch.randn(2, 1, 5, generator=rng, dtype=torch.float64).requires_grad_()
    check: Callable[..., Any] = torch.autograd.gradcheck
    assert check(budget.project, (x, delta))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_loosen_the_budget(
    dtype: torch.dtype, rng: torch.Generator
) -> None:
    x = torch.rand(2, 1, 500, generator=rng)
    delta = torch.randn(2, 1, 500, generator=rng).to(dtype)
    projected = SNR(20).project(x, delta)
    assert projected.dtype == torch.float32
    assert (excess_db(SNR(20), x, projected) <= 1e-4).all()


def test_a_nan_perturbation_is_not_hidden() -> None:
    x, delta = torch.ones(2, 1, 4), torch.ones(2, 1, 4)
    delta[0, 0, 0] = math.nan
    for budget in (SNR(20), L2(0.1), Linf(0.1)):
        assert torch.isnan(budget.project(x, delta)).any()
        assert budget.satisfied(x, delta).tolist()[0] is False


def test_satisfied_allows_its_tolerance_and_no_more() -> None:
    x, budget = torch.ones(1, 1, 4, dtype=torch.float64), L2(1.0)
    for decibels, kept in ((0.9e-4, True), (1.1e-4, False)):
        delta = torch.full((1, 1, 4), 0.5 * 10 ** (decibels / 20), dtype=torch.float64)
        assert budget.satisfied(x, delta).item() is kept
    assert budget.satisfied(x, delta, tolerance=1.0).item() is True


@pytest.mark.parametrize("budget", EXAMPLES, ids=repr)
def test_text_and_back(budget: Budget) -> None:
    assert parse_budget(str(budget)) == budget
    assert budget.with_value(1.5).value == 1.5 and budget.with_value(1.5).kind == budget.kind
    assert f"{budget.value:g}" in budget.describe()


def test_names_and_values() -> None:
    assert repr(SNR(20)) == "SNR(db=20.0)" and repr(Linf(0.002)) == "Linf(eps=0.002)"
    assert parse_budget(" SNR : 20 ") == SNR(20.0)
    assert SNR(20).describe() == "SNR >= 20 dB"
    assert [SNR(db).db for db in (-MAX_DB, MAX_DB)] == [-300.0, 300.0]
    assert len({SNR(20), SNR(20.0), L2(20), Linf(20)}) == 3


@pytest.mark.parametrize(
    "text",
    ["", "snr", "20", "snr:", "snr:loud", "snr:nan", "snr:inf", "snr:400", "l2:-1", "linf:-inf",
     "l1:3", "snr:-301", "snr:20:30", "linf:0,002"],
)  # fmt: skip
def test_bad_text_is_refused(text: str) -> None:
    with pytest.raises(MondegreenError):
        parse_budget(text)


@pytest.mark.parametrize("kind", [SNR, L2, Linf])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "loud", None])
def test_bad_values_are_refused(kind: Callable[[Any], Budget], value: object) -> None:
    with pytest.raises(BudgetError) as error:
        kind(value)
    assert isinstance(error.value, ValueError) and isinstance(error.value, MondegreenError)


def test_negative_norms_and_single_vectors_are_refused() -> None:
    for kind in (L2, Linf):
        with pytest.raises(BudgetError, match="negative"):
            kind(-1e-9)
    with pytest.raises(ValueError, match="batch"):
        SNR(20).project(torch.ones(8), torch.ones(8))
