"""The stages of an audit: commands that the user could type, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mondegreen.audit.sizes import BLIND_DB, BUDGETS_DB, REFINED, SEARCH_STEPS, Sizes
from mondegreen.stages.stage import Stage, option

Words = tuple[str, ...]

GRADIENT = f"pgd:steps={SEARCH_STEPS},shaping=0"
"""Plain: the shaped gradient, which is quieter elsewhere, finds less in hardened models."""
GENERATOR = ("generator", f"generator+{REFINED}")
LISTEN_DB = 25
"""The ratio at which the generator's clips can be heard in the report."""
QUALITY_PAIRS = 60


@dataclass(frozen=True)
class Audited:
    """What is audited, as words of commands."""

    out: Path
    classifier: str
    """What ``--classifier`` takes."""
    data: Words
    """Options that say which clips, and how they are divided."""
    targets: Words
    """Labels to reach."""
    device: str
    network: Words
    """Options of the generator's training that say which network, and where it starts from."""


def stages(audited: Audited, sizes: Sizes) -> list[Stage]:
    """Return the stages; those without a generator where none is trained."""
    found = []
    if sizes.epochs:
        found = [_generator(audited, sizes), _gradient(audited, sizes)]
    found.append(_blind(audited, sizes))
    if sizes.epochs:
        found += [_generated(audited, sizes), _listen(audited, sizes)]
    return found


def _generator(a: Audited, sizes: Sizes) -> Stage:
    folder = a.out / "generator"
    words = ("train", "generator", *option("classifier", a.classifier), *a.data, *a.network)
    if a.targets:
        words = (*words, "--target", *a.targets)
    epochs = ("--training.epochs", str(sizes.epochs))
    words = (*words, *epochs, "--device", a.device, *option("out", folder))
    title = "one generator for all targets"
    return Stage("generator", title, (words,), folder / "summary.json", (), sizes.seconds.generator)


def _gradient(a: Audited, sizes: Sizes) -> Stage:
    away = a.out / "untargeted"
    commands = (
        _compare(a, "targeted", (GRADIENT,), BUDGETS_DB, sizes.pairs),
        _compare(a, "untargeted", (GRADIENT,), BUDGETS_DB, sizes.pairs),
    )
    title = "gradient search, towards every target and away from the right label"
    done = away / "comparison.json"
    return Stage("gradient", title, commands, done, (), sizes.seconds.gradient)


def _blind(a: Audited, sizes: Sizes) -> Stage:
    attack = (f"square:queries={sizes.queries}",)
    commands = (
        _compare(a, "blind", attack, BLIND_DB, sizes.blind_pairs),
        _compare(a, "blind-untargeted", attack, BLIND_DB, sizes.blind_pairs),
    )
    done = a.out / "blind-untargeted" / "comparison.json"
    title = "square attack, which only asks for probabilities"
    return Stage("blind", title, commands, done, (), sizes.seconds.blind)


def _generated(a: Audited, sizes: Sizes) -> Stage:
    more = option("generator", a.out / "generator")
    words = _compare(a, "generated", GENERATOR, BUDGETS_DB, sizes.pairs, more)
    title = "the generator on the pairs of the gradient search"
    done = a.out / "generated" / "comparison.json"
    return Stage("generated", title, (words,), done, ("generator",), sizes.seconds.look)


def _listen(a: Audited, sizes: Sizes) -> Stage:
    folder = a.out / "evaluation"
    generator = option("generator", a.out / "generator")
    words: Words = ("evaluate", *generator, *option("classifier", a.classifier))
    words = (*words, *a.data, "--budget", f"snr:{LISTEN_DB}", "--pairs", str(sizes.pairs))
    words = (*words, "--quality-pairs", str(QUALITY_PAIRS), "--samples", "1")
    words = (*words, "--device", a.device, *option("out", folder))
    title = "the generator to look at and to listen to"
    return Stage("listen", title, (words,), folder / "results.json", ("generator",), 30.0)


def _compare(
    a: Audited,
    name: str,
    attacks: Sequence[str],
    budgets: Sequence[int],
    pairs: int,
    more: Words = (),
) -> Words:
    words = ("compare", *option("classifier", a.classifier), *a.data, *more, "--attacks", *attacks)
    words = (*words, "--budgets", *(f"snr:{db}" for db in budgets), "--pairs", str(pairs))
    words = (*words, "--quality-pairs", "0", "--timing-rounds", "3", "--timing-seconds", "0.5")
    if name.endswith("untargeted"):
        words = (*words, "--untargeted")
    elif a.targets:
        words = (*words, "--target", *a.targets)
    return (*words, "--device", a.device, *option("out", a.out / name))
