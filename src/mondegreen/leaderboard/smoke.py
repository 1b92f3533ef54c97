"""The smallest check of an entry that needs no recordings: synthetic voices, two cheap attacks.

The figures on synthetic voices are not those on recordings. They were measured by a command when
the entry was written, with the same seeds; so what is compared is the same measurement then and
now, and a difference tells of other weights, another defence or another attack.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.options import DataOptions, open_labelled
from mondegreen.data.speech_commands import TEN_WORDS
from mondegreen.data.synthetic_speech import SyntheticSpeechConfig, synthesize_speech
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.recipes import cross
from mondegreen.evaluation.specs import Sources, build_attack
from mondegreen.generators.generator import load_generator
from mondegreen.leaderboard.subjects import Subject
from mondegreen.leaderboard.trials import Outcome, Trial, right_clips, try_out
from mondegreen.report.leaderboard.entry import Smoke, SmokeFigure
from mondegreen.report.leaderboard.knowledge import has_gradients

CORPUS = "synthetic voices"
PAIRS, SEED = 24, 1024
ATTACKS = (("targeted", "generator@snr:20"), ("untargeted", "pgd:steps=4@snr:25"))
"""Goal, attack and budget. The generator knows no defence, gradient search knows it."""

HOW = "let `mondegreen leaderboard check --write` measure and write them."
"""What to do about smoke figures that are missing or old."""

_VOICES = SyntheticSpeechConfig(
    speakers=6, seed=SEED, words=TEN_WORDS, other_words=("bed",), noise_seconds=1
)


@contextmanager
def voices() -> Iterator[Path]:
    """Yield a folder of synthetic voices, the same at every call, which is removed afterwards.

    Raises:
        MondegreenError: There is no synthesiser.
    """
    with tempfile.TemporaryDirectory(prefix="mondegreen-voices-") as folder:
        yield synthesize_speech(Path(folder) / "voices", _VOICES)


def open_voices(folder: Path, classifier: Classifier) -> ClipDataset:
    """Return all clips of the synthetic voices, with the labels of a classifier.

    Raises:
        MondegreenError: The classifier knows other labels than the ten words.
    """
    others = sorted(set(classifier.labels) - set(TEN_WORDS))
    if others:
        raise MondegreenError(
            f"the synthetic voices say {', '.join(TEN_WORDS)}, and not {', '.join(others[:5])}; "
            "give clips of the classifier's labels by --data."
        )
    corpus = open_labelled(DataOptions(data=folder), classifier.labels)
    cache = ClipCache.build(
        corpus,
        sample_rate=classifier.sample_rate,
        clip_samples=classifier.clip_samples,
        folder=folder.parent / "cache",
    )
    return ClipDataset(corpus, cache)


def smoke_trials(subject: Subject) -> list[Trial]:
    """Return the cheap attacks, made for a classifier; the generator only where labels are shared.

    Raises:
        MondegreenError: An attack cannot be made.
    """
    generator = load_generator(Path("zoo:speech-commands"))
    generator.to(subject.plain.device)
    reached = set(subject.plain.labels) <= set(generator.config.targets)
    found = []
    for goal, text in ATTACKS:
        (entry,) = cross([text], [])
        if entry.spec.kind == "generator" and not reached:
            continue
        attacked = subject.known if has_gradients(entry.spec.text) else subject.plain
        attack = build_attack(
            entry.spec, attacked, Sources(generator), untargeted=goal == "untargeted"
        )
        found.append(Trial(entry.spec.text, attack, entry.budget, attacked))
    return found


def measure_smoke(subject: Subject, folder: Path) -> Smoke:
    """Measure what an entry states of itself on the synthetic voices.

    Args:
        subject: The classifier behind its defence.
        folder: The voices.

    Raises:
        MondegreenError: The classifier knows other labels, or an attack cannot be made.
    """
    data = open_voices(folder, subject.deployed)
    trials = smoke_trials(subject)
    right = right_clips(subject.deployed, data)
    outcomes = try_out(trials, subject.deployed, data, PAIRS, SEED)
    figures = tuple(
        SmokeFigure(
            attack=trial.label,
            goal="untargeted" if trial.attack.untargeted else "targeted",
            budget="none" if trial.budget is None else str_budget(trial),
            pairs=outcome.pairs,
            successes=outcome.successes,
        )
        for trial, outcome in zip(trials, outcomes, strict=True)
    )
    return Smoke(CORPUS, right.pairs, right.successes, figures)


def str_budget(trial: Trial) -> str:
    """Return a trial's budget as entries write it."""
    assert trial.budget is not None
    return f"{trial.budget.kind}:{trial.budget.value:g}"


def compare_smoke(stated: Smoke, found: Smoke) -> list[tuple[str, str, str, bool]]:
    """Return what was stated beside what was found: a row a figure, and whether they agree.

    They agree where the stated share lies in the 95 % binomial interval of the one that was found.

    Raises:
        MondegreenError: The entry states other figures than are measured here.
    """

    def named(one: Smoke) -> list[tuple[str, ...]]:
        return [(each.attack, each.goal, each.budget) for each in one.figures]

    if named(stated) != named(found) or stated.corpus != found.corpus:
        raise MondegreenError(f"the entry states other smoke figures than are measured here; {HOW}")
    rows = [_beside("untouched clips heard rightly", _right(stated), _right(found))]
    for then, now in zip(stated.figures, found.figures, strict=True):
        title = f"{now.goal} {now.attack}, {now.budget}"
        rows.append(_beside(title, _hits(then), _hits(now)))
    return rows


def _right(smoke: Smoke) -> Outcome:
    return Outcome(smoke.right, smoke.clips)


def _hits(figure: SmokeFigure) -> Outcome:
    return Outcome(figure.successes, figure.pairs)


def _beside(title: str, stated: Outcome, found: Outcome) -> tuple[str, str, str, bool]:
    low, high = found.interval
    return title, f"{100 * stated.rate:.0f} %", str(found), low <= stated.rate <= high
