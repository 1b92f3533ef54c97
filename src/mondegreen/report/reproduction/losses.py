"""Judges of what the paper says about the losses and the training: sections IV-E, V-C and V-D."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mondegreen.report.formatting import percent
from mondegreen.report.paper import ABLATION, COLLAPSE_STEP, STABLE_STEPS
from mondegreen.report.reproduction.findings import Finding, Verdict, cannot_say, merge
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.judges import NEAR
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.sounds import NOISE_IN_TENTH
from mondegreen.report.reproduction.trainings import (
    READINGS,
    VARIANTS,
    Ablation,
    Spread,
    Training,
    spread,
)

SOME_HUNDRED = 300
"""The paper compares over "several hundred iterations"; fewer tell little of the best success."""

DROP = 0.1
"""A success that falls by more than this from its best has dropped significantly."""

Judge = Callable[[Ablation, str], Finding]
Value = Callable[[Training], float | None]


def by_reading(reproduction: Reproduction, judge: Judge) -> Finding:
    """Judge under every reading of eq. 9 that was trained, and join the findings."""
    found = reproduction.ablation
    if isinstance(found, Missing):
        return cannot_say(f"The losses were not compared: {found.reason}.")
    about = [(f"Eq. 9 as {READINGS[r]}", judge(found, r)) for r in found.readings]
    joined = merge(about, "The ablation holds no training.")
    if len(about) == 1:
        return Finding(joined.verdict, f"{about[0][0]}: {joined.sentence}")
    return joined


def _of(
    ablation: Ablation, reading: str, variants: Sequence[str], value: Value
) -> list[Spread] | Finding:
    """Return the spreads of some variants, or which of them was not measured."""
    found = []
    for variant in variants:
        one = spread(ablation.of(variant, reading), value)
        if one is None:
            return cannot_say(f"“{VARIANTS[variant]}” was not measured.")
        found.append(one)
    return found


def _compare(more: Spread, less: Spread) -> Verdict:
    """Tell whether every seed of one lies above every seed of the other."""
    if more.low > less.high:
        return "supports"
    return "contradicts" if more.mean <= less.mean else "cannot say"


def _percents(one: Spread) -> str:
    if one.count == 1:
        return f"{percent(one.mean, 1)} (one seed)"
    return f"{percent(one.mean, 1)} ({100 * one.low:.1f}–{100 * one.high:.1f})"


def sparse_and_uniform(ablation: Ablation, reading: str) -> Finding:
    """Judge whether hinge alone concentrates the perturbation more than L2 alone."""
    found = _of(ablation, reading, ("hinge", "l2"), lambda one: one.energy_in_tenth)
    if isinstance(found, Finding):
        return found
    hinge, l2 = found
    text = (
        f"the loudest tenth of the samples holds {_percents(hinge)} of the energy with hinge "
        f"alone, {_percents(l2)} with L2 alone; Gaussian noise has {percent(NOISE_IN_TENTH, 0)}. "
        f"The trainings had {_steps(ablation, reading):,} steps."
    )
    if reading == "code":
        text += " As coded, “L2” is a sum of absolute values, which favours few large samples."
    return Finding(_compare(hinge, l2), text)


def prefers_places(ablation: Ablation, reading: str) -> Finding:
    """Judge whether the perturbation of both losses is less even than noise."""
    found = _of(ablation, reading, ("both",), lambda one: one.energy_in_tenth)
    if isinstance(found, Finding):
        return found
    text = (
        f"the loudest tenth of the samples holds {_percents(found[0])} of the energy; noise that "
        f"prefers no place, Gaussian, has {percent(NOISE_IN_TENTH, 0)}."
    )
    noise = Spread(NOISE_IN_TENTH, NOISE_IN_TENTH, NOISE_IN_TENTH, 1)
    return Finding(_compare(found[0], noise), text)


def joint_is_best(ablation: Ablation, reading: str) -> Finding:
    """Judge whether both losses reach a better training success than either alone."""
    variants = ("both", "l2", "hinge")
    found = _of(ablation, reading, variants, lambda one: one.best)
    if isinstance(found, Finding):
        return found
    reported = {one.variant: one.best for one in ABLATION}
    parts = [
        f"{VARIANTS[variant]} {_percents(one)} (reported {percent(reported[variant])})"
        for variant, one in zip(variants, found, strict=True)
    ]
    signs = {_compare(found[0], one) for one in found[1:]}
    steps = _steps(ablation, reading)
    verdict: Verdict = "cannot say"
    if signs == {"supports"}:
        verdict = "supports"
    elif "contradicts" in signs and steps >= SOME_HUNDRED:
        verdict = "contradicts"
    text = f"best training success: {', '.join(parts)}, within {steps:,} steps."
    return Finding(verdict, text)


def _steps(ablation: Ablation, reading: str) -> int:
    """Return how long the shortest training of the paper's three choices went on."""
    trained = [t for v in ("both", "l2", "hinge") for t in ablation.of(v, reading)]
    return min((one.steps for one in trained), default=0)


def alone_collapses(ablation: Ablation, reading: str) -> Finding:
    """Judge whether either loss alone drops after some 700 iterations."""
    parts, signs = [], []
    for variant in ("l2", "hinge"):
        trainings = ablation.of(variant, reading)
        if not trainings:
            return cannot_say(f"“{VARIANTS[variant]}” was not measured.")
        if max(one.steps for one in trainings) <= COLLAPSE_STEP:
            longest = max(one.steps for one in trainings)
            return cannot_say(f"the trainings ended after {longest:,} steps, before the drop.")
        fallen = [one for one in trainings if _drop(one) > DROP]
        signs.append(len(fallen) / len(trainings))
        parts.append(f"{VARIANTS[variant]}: {_drops(trainings)}")
    text = f"from best to last success, {'; '.join(parts)}."
    if all(sign == 1 for sign in signs):
        return Finding("supports", text)
    return Finding("contradicts", text) if not any(signs) else cannot_say(text)


def joint_is_stable(ablation: Ablation, reading: str) -> Finding:
    """Judge whether both losses together keep what they reached."""
    trainings = ablation.of("both", reading)
    if not trainings:
        return cannot_say(f"“{VARIANTS['both']}” was not measured.")
    steps = min(one.steps for one in trainings)
    text = f"from best to last success, {_drops(trainings)}, over {steps:,} steps"
    if any(_drop(one) > DROP for one in trainings):
        return Finding("contradicts", f"{text}.")
    if steps < COLLAPSE_STEP:
        return cannot_say(f"{text}, fewer than the {COLLAPSE_STEP} at which others collapse.")
    short = f" (reported: at least {STABLE_STEPS:,})" if steps < STABLE_STEPS else ""
    return Finding("supports", f"{text}{short}.")


def _drop(training: Training) -> float:
    if training.best is None or training.last is None:
        return 0.0
    return training.best - training.last


def _drops(trainings: Sequence[Training]) -> str:
    fallen = sum(_drop(one) > DROP for one in trainings)
    most = 100 * max(_drop(one) for one in trainings)
    return f"{fallen} of {len(trainings)} fell by more than 10 points, the most by {most:.1f}"


def weight_buys_quality(ablation: Ablation, reading: str) -> Finding:
    """Judge whether a large weight of eq. 9 makes the perturbation quieter: 100 against 0."""
    found = _of(ablation, reading, ("both", "hinge"), lambda one: one.snr_db)
    if isinstance(found, Finding):
        return found
    heavy, light = found
    text = (
        f"a mean SNR of {heavy.mean:.1f} dB ({heavy.low:.1f}–{heavy.high:.1f}) with γ = 100, "
        f"{light.mean:.1f} dB ({light.low:.1f}–{light.high:.1f}) with γ = 0"
        f"{_price(ablation, reading)}."
    )
    return Finding(_compare(heavy, light), text)


def _price(ablation: Ablation, reading: str) -> str:
    found = _of(ablation, reading, ("both", "hinge"), lambda one: one.success_rate)
    if isinstance(found, Finding):
        return ""
    return f", at {_percents(found[0])} and {_percents(found[1])} success on test clips"


def discriminator_helps(ablation: Ablation, reading: str) -> Finding:
    """Judge whether the discriminator limits the perturbation, at no loss of success."""
    return _helps(ablation, reading, "no-discriminator", "the discriminator")


def warm_up_helps(ablation: Ablation, reading: str) -> Finding:
    """Judge whether the epochs without the classifier make the result better."""
    return _helps(ablation, reading, "no-warm-up", "the warm-up")


def _helps(ablation: Ablation, reading: str, without: str, what: str) -> Finding:
    """Support: quieter with it over all seeds, and at most 2 points less successful."""
    variants = ("both", without)
    snr = _of(ablation, reading, variants, lambda one: one.snr_db)
    success = _of(ablation, reading, variants, lambda one: one.success_rate)
    if isinstance(snr, Finding):
        return snr
    if isinstance(success, Finding):
        return success
    text = (
        f"SNR {snr[0].mean:.1f} dB ({snr[0].low:.1f}–{snr[0].high:.1f}) with {what}, "
        f"{snr[1].mean:.1f} dB ({snr[1].low:.1f}–{snr[1].high:.1f}) without; success on test clips "
        f"{_percents(success[0])} and {_percents(success[1])}."
    )
    quieter = _compare(*snr)
    loss = success[1].mean - success[0].mean
    if quieter == "supports" and loss <= NEAR:
        return Finding("supports", text)
    if quieter == "contradicts" and loss >= -NEAR:
        return Finding("contradicts", text)
    return cannot_say(f"{text} One is traded for the other, or the seeds overlap.")
