"""What a measurement says about a sentence of the paper: a verdict, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mondegreen.report.formatting import number, percent
from mondegreen.report.paper import ReportedSetting
from mondegreen.report.reproduction.generators import GeneratorScores, Missing
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting
from mondegreen.report.reproduction.words import PAPER_KIND, differences, unlike

Verdict = Literal["supports", "contradicts", "cannot say"]
VERDICTS: tuple[Verdict, ...] = ("supports", "contradicts", "cannot say")


@dataclass(frozen=True)
class Finding:
    """A verdict and the sentences that give its numbers.

    ``parts`` are the findings that it was joined from, each with what it is about.
    """

    verdict: Verdict
    sentence: str
    parts: tuple[tuple[str, Finding], ...] = ()


def cannot_say(reason: str) -> Finding:
    """Return that nothing can be said, and why."""
    return Finding("cannot say", reason)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, and how a reproduction is asked about it.

    Args:
        key: Short name, unique.
        quote: The paper's words.
        place: Section, figure or table.
        rule: When the measurement counts as support, in one clause.
        judge: Compares it with what was measured.
    """

    key: str
    quote: str
    place: str
    rule: str
    judge: Callable[[Reproduction], Finding]


def merge(findings: Sequence[tuple[str, Finding]], nothing: str) -> Finding:
    """Join the findings of several settings or readings into one.

    One verdict that all share stays; support here and contradiction there cannot be decided. What
    cannot be said does not weigh against what can.

    Args:
        findings: What each is about, and the finding.
        nothing: The reason where there is none.
    """
    if not findings:
        return cannot_say(nothing)
    if len(findings) == 1:
        return findings[0][1]
    said = {one.verdict for _, one in findings} - {"cannot say"}
    verdict: Verdict = "cannot say"
    if len(said) == 1:
        verdict = "supports" if "supports" in said else "contradicts"
    text = " ".join(f"{about} ({one.verdict}): {one.sentence}" for about, one in findings)
    return Finding(verdict, text, tuple(findings))


def of_settings(
    reproduction: Reproduction,
    reported: ReportedSetting,
    judge: Callable[[Setting, ReportedSetting], Finding],
) -> Finding:
    """Judge every setting that stands beside one of the paper's, and join the findings."""
    found = [(one.data, judge(one, reported)) for one in reproduction.beside(reported)]
    return merge(found, f"Nothing stands beside {reported.name}: {reproduction.absent(reported)}.")


def paper_generators(setting: Setting) -> GeneratorScores | Finding:
    """Return the scores of the paper's method, one network a target; or why there are none.

    Where they are missing, the finding tells what the other kinds of generators reach.
    """
    part = setting.generators[PAPER_KIND]
    if not isinstance(part, Missing):
        return part if part.errors else cannot_say("No source and target were measured.")
    others = [
        f"{KINDS[kind]} reaches {percent(scores.success_rate, 1)}"
        for kind, scores in setting.measured().items()
    ]
    seen = f" Of other kinds, {', '.join(others)}." if others else ""
    return cannot_say(f"One network a target was not measured: {part.reason}.{seen}")


def reached(
    setting: Setting, scores: GeneratorScores, *, good: bool, worse_here: bool, sentence: str
) -> Finding:
    """Return support where a reported level is reached, else contradiction if all else is alike.

    A network that is narrower than the paper's, or other data, may fall short for that reason
    alone: then nothing can be said.

    Args:
        setting: What was attacked.
        scores: By what.
        good: Whether the level is reached.
        worse_here: Whether it is missed by more than chance explains.
        sentence: With the numbers.
    """
    unlikeness = unlike(setting, scores)
    text = f"{sentence} {unlikeness}".strip()
    if good:
        return Finding("supports", text)
    if worse_here and not differences(setting, scores):
        return Finding("contradicts", text)
    if worse_here:
        return cannot_say(f"{text} A shortfall may come from that.")
    return cannot_say(text)


def measured_and_reported(measured: float | None, reported: float, unit: str, digits: int) -> str:
    """Return both numbers, such as ``20.50 dB (reported 20.27 dB)``."""
    return f"{number(measured, digits, unit)} (reported {number(reported, digits, unit)})"
