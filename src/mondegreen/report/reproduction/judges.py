"""Judges of what the paper says about success: section V-B, Figs. 4 to 6, footnote 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median, pstdev

from mondegreen.report.formatting import percent
from mondegreen.report.paper import ReportedSetting
from mondegreen.report.reproduction.findings import (
    Finding,
    cannot_say,
    merge,
    paper_generators,
    reached,
)
from mondegreen.report.reproduction.generators import GeneratorScores, Missing
from mondegreen.report.reproduction.results import Reproduction, Setting
from mondegreen.report.reproduction.statistics import (
    as_high_by_chance,
    as_low_by_chance,
    mean_of,
    outliers,
)
from mondegreen.report.reproduction.words import interval_of, unlike

NEAR = 0.02
"""Success rates this close are as good as equal."""
NEAR_DB = 1.0
UNLIKELY = 0.05
"""A pattern that as many labels, drawn at random, show more often than this may be chance.

It holds for either side: labels that succeed more often, and labels that succeed less often."""


def success(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge the average success rate; at a much lower SNR it is no support."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    goal, quiet = paper.proposed.success_rate, paper.proposed.snr_db
    snr = scores.snr_db.mean
    text = (
        f"{interval_of(scores)} of {scores.pairs:,} pairs (reported {percent(goal)}), at a mean "
        f"SNR of {'–' if snr is None else f'{snr:.2f} dB'} (reported {quiet:.2f} dB)."
    )
    near = scores.success_rate >= goal - NEAR
    if near and (snr is None or snr < quiet - NEAR_DB):
        return cannot_say(f"{text} The rate is reached, but with a louder perturbation.")
    high = scores.success_interval[1] if scores.success_interval else scores.success_rate
    return reached(setting, scores, good=near, worse_here=high < goal, sentence=text)


def cell(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge the one pair of labels that the text gives a rate for."""
    scores = paper_generators(setting)
    known = paper.cell
    if isinstance(scores, Finding):
        return scores
    if known is None or not {known.source, known.target} <= set(setting.labels):
        return cannot_say("These labels are not in this setting.")
    row, column = (setting.labels.index(name) for name in (known.source, known.target))
    rate, pairs = scores.success_matrix[row][column], scores.pair_counts[row][column]
    if rate is None or pairs == 0:
        return cannot_say(f"“{known.source}” → “{known.target}” was not measured.")
    text = (
        f"“{known.source}” → “{known.target}”: {percent(rate)} of {pairs:,} clips "
        f"(reported {percent(known.success_rate)}). One clip is {percent(1 / pairs, 1)}."
    )
    good = rate >= known.success_rate - max(NEAR, 1 / pairs)
    return reached(setting, scores, good=good, worse_here=True, sentence=text)


def generally_above(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether most cells lie above 90 %."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    rates = [1 - error for error in scores.errors]
    above = sum(rate > 0.9 for rate in rates)
    text = (
        f"{above} of {len(rates)} cells lie above 90 %, the middle one at {percent(median(rates))}."
    )
    good = median(rates) > 0.9
    return reached(setting, scores, good=good, worse_here=True, sentence=text)


def error_range(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge the spread of the error rates over the cells."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    errors = scores.errors
    counts = sorted(n for row in scores.pair_counts for n in row if n)
    low, high = paper.error_range
    text = (
        f"Errors from {percent(min(errors))} to {percent(max(errors))} (reported {percent(low)} to "
        f"{percent(high)}), mean {percent(fmean(errors))} (reported {percent(paper.error_mean)}), "
        f"standard deviation {percent(pstdev(errors))} (reported "
        f"{percent(paper.error_deviation)}). A cell has {_few_to_many(counts)} clips, "
        "so chance alone spreads them."
    )
    good = max(errors) <= high + NEAR and fmean(errors) <= paper.error_mean + NEAR
    return reached(setting, scores, good=good, worse_here=True, sentence=text)


def _few_to_many(counts: Sequence[int]) -> str:
    """Return the least and the greatest of rising counts; one number where they are equal."""
    return f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"


def few_outliers(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge how many cells lie beyond the whiskers, and above an error of 15 %."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    errors = scores.errors
    beyond, above = len(outliers(errors)), sum(error > 0.15 for error in errors)
    text = (
        f"{beyond} of {len(errors)} cells are outliers of the box plot (reported {paper.outliers} "
        f"of 90), {above} have an error above 15 %."
    )
    share = paper.outliers / 90
    good = max(beyond, above) <= 2 * share * len(errors)
    return reached(setting, scores, good=good, worse_here=True, sentence=text)


def favoured_targets(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether the targets that the text names succeed more often than the others."""
    named = {one.target: one.success_rate for one in paper.targets if one.success_rate is not None}
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    rates = {
        label: one.success_rate
        for label, one in scores.per_target.items()
        if one.success_rate is not None
    }
    return _favoured(rates, named, "as targets", unlike(setting, scores))


def favoured_sources(setting: Setting, paper: ReportedSetting) -> Finding:
    """Judge whether the clips of the words that the text names are easier to attack."""
    scores = paper_generators(setting)
    if isinstance(scores, Finding):
        return scores
    named = {one.source: one.success_rate for one in paper.sources}
    found = {label: scores.of_source(row) for row, label in enumerate(setting.labels)}
    rates = {label: rate for label, rate in found.items() if rate is not None}
    return _favoured(rates, named, "as sources", unlike(setting, scores))


def _favoured(
    rates: Mapping[str, float], named: Mapping[str, float | None], how: str, unlikeness: str
) -> Finding:
    if not named or not set(named) <= set(rates) or len(named) == len(rates):
        missing = [label for label in named if label not in rates]
        return cannot_say(f"Not measured {how}: {', '.join(missing) or 'any label'}.")
    others = [label for label in rates if label not in named]
    mean, rest = mean_of(rates, list(named)), mean_of(rates, others)
    above = mean > rest
    chance = (as_high_by_chance if above else as_low_by_chance)(rates, list(named))
    each = ", ".join(
        f"“{label}” {percent(rates[label], 1)} (reported {percent(value, 1)})"
        for label, value in named.items()
    )
    text = (
        f"{each}; on average {percent(mean, 1)}, against {percent(rest, 1)} of the other "
        f"{len(others)}. Of all choices of {len(named)} labels, {percent(chance, 1)} do as "
        f"{'well' if above else 'badly'}. "
        f"{unlikeness}"
    ).strip()
    if chance > UNLIKELY:
        return cannot_say(text)
    return Finding("supports" if above else "contradicts", text)


def unified(reproduction: Reproduction) -> Finding:
    """Judge footnote 3: one network can serve all targets."""
    found = [(one.data, _unified(one)) for one in reproduction.settings]
    return merge(found, "No setting was run.")


def _unified(setting: Setting) -> Finding:
    one, many = setting.generators["unified"], setting.generators["single"]
    if isinstance(one, Missing):
        return cannot_say(f"One network for all targets was not measured: {one.reason}.")
    text = f"One network reaches {interval_of(one)} of {one.pairs:,} pairs{_at(one)}"
    if isinstance(many, Missing):
        good = one.success_rate >= 0.5
        verdict = Finding("supports", f"{text}; one a target was not measured: {many.reason}.")
        return verdict if good else cannot_say(verdict.sentence)
    text += (
        f", one a target {interval_of(many)}{_at(many)}, in {one.steps:,} steps of training "
        f"against {many.steps:,} in all."
    )
    if one.success_rate >= many.success_rate - 5 * NEAR:
        return Finding("supports", text)
    if one.success_rate < many.success_rate / 2:
        return Finding("contradicts", text)
    return cannot_say(f"{text} It works, and worse.")


def _at(scores: GeneratorScores) -> str:
    return "" if scores.snr_db.mean is None else f" at {scores.snr_db.mean:.1f} dB"
