"""What differs from the paper's experiment, in words: shared by tables, claims and page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mondegreen.report.formatting import percent, size
from mondegreen.report.reproduction.generators import GeneratorScores
from mondegreen.report.reproduction.results import KINDS, Setting

PAPER_KIND = "single"


def network_name(scores: GeneratorScores) -> str:
    """Return the network and its width, such as ``U-Net, 1/8 of the channels``."""
    if scores.network != "unet":
        return f"{scores.network} network"
    return (
        "U-Net, full width" if scores.width == 1 else f"U-Net, {share(scores.width)} of its width"
    )


def share(value: float) -> str:
    """Return a share as readers say it.

    Example:
        >>> share(0.125), share(0.3)
        ('1/8', '30 %')
    """
    fraction = Fraction(value).limit_denominator(64)
    if fraction.numerator == 1 and abs(float(fraction) - value) < 1e-9:
        return f"1/{fraction.denominator}"
    return percent(value, 0)


@dataclass(frozen=True)
class Difference:
    """What makes a measurement unlike the paper's: in a few words, and as a clause."""

    short: str
    text: str


def differences(setting: Setting, scores: GeneratorScores) -> list[Difference]:
    """Return what makes the paper's numbers unlike those of a kind of generator here."""
    found = []
    if scores.network != "unet":
        text = f"a {scores.network} network instead of the U-Net"
        found.append(Difference("another network", text))
    elif scores.width != 1:
        part = share(scores.width)
        text = f"a generator of {part} of the paper's channels"
        found.append(Difference(f"{part} of the channels", text))
    found += _data(setting)
    if scores.budget.kind != "none":
        text = f"a hard budget, {scores.budget}, where the paper has none"
        found.append(Difference("a hard budget", text))
    if scores.missing_targets:
        done = len(setting.labels) - len(scores.missing_targets)
        text = f"{done} of {len(setting.labels)} targets"
        found.append(Difference(text, text))
    return found


def _data(setting: Setting) -> list[Difference]:
    """Return what makes the data and the classifier unlike the paper's."""
    paper, found = setting.reported, []
    if paper is None:
        return [Difference("other data", f"data that the paper does not have: {setting.data}")]
    if paper.data.partition(" v")[0] not in setting.data:
        found.append(Difference("other data", f"{setting.data} instead of {paper.data}"))
    if 2 * setting.train_clips < paper.train_clips:
        text = f"{setting.train_clips:,} clips to train on instead of some {paper.train_clips:,}"
        found.append(Difference("fewer clips", text))
    if setting.classifier.parameters != paper.classifier_parameters:
        text = (
            f"a classifier of {size(setting.classifier.parameters)} parameters instead of "
            f"{size(paper.classifier_parameters)}"
        )
        found.append(Difference("another classifier", text))
    return found


def unlike(setting: Setting, scores: GeneratorScores) -> str:
    """Return the differences in a few words; empty where there are none."""
    found = [one.short for one in differences(setting, scores)]
    return f"Not like for like: {', '.join(found)}." if found else ""


def interval_of(scores: GeneratorScores) -> str:
    """Return the success rate with its interval, such as ``93.2 % (90.1–95.0)``."""
    text = percent(scores.success_rate, 1)
    if scores.success_interval is None:
        return text
    low, high = scores.success_interval
    return f"{text} ({100 * low:.1f}–{100 * high:.1f})"


def kinds_missing(setting: Setting) -> str:
    """Return which kinds of generators are missing, and why; empty where none is."""
    reasons = [
        f"{KINDS[kind]}: {part.reason}"
        for kind, part in setting.generators.items()
        if not isinstance(part, GeneratorScores)
    ]
    return f"Missing: {'; '.join(reasons)}." if reasons else ""
