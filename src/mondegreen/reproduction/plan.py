"""The stages of the paper's experimental section (section V), in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mondegreen.reproduction.scale import Scale, Words
from mondegreen.reproduction.setting import Setting
from mondegreen.stages.stage import Stage

SPECTRAL_DB = 25
"""The ratio that this project's generator is trained for and measured at."""
SOURCE, TARGET = "yes", "right"
"""The pair of the paper's ablation (section V-D)."""


@dataclass(frozen=True)
class Variant:
    """One row of the ablation (section V-D): which losses, which reading of eq. 9."""

    name: str
    """hinge, l2, both or no-discriminator."""
    reading: Literal["code", "paper"]
    words: Words


VARIANTS = (
    Variant("both", "code", ()),
    Variant("l2", "code", ("--training.weights.beta", "0")),
    Variant("hinge", "code", ("--training.weights.gamma", "0")),
    Variant("no-discriminator", "code", ("--training.weights.alpha", "0")),
    Variant("both", "paper", ()),
    Variant("l2", "paper", ("--training.weights.beta", "0")),
)
"""The hinge loss alone is the same in both readings."""


def stages(
    out: Path, scale: Scale, found: Sequence[Setting], cache: Path, device: str = "auto"
) -> list[Stage]:
    """Return every stage; those that others need, and the long ones, come first.

    Args:
        out: The reproduction's folder.
        scale: Its sizes.
        found: Its settings.
        cache: Where decoded clips are kept.
        device: Of trainings and attacks: auto, cpu or cuda.
    """
    scale = on_device(scale, device)
    makers = [_Maker(out / setting.key, scale, setting, cache) for setting in found]
    order = [stage for maker in makers for stage in maker.corpus()]
    order += [stage for maker in makers for stage in maker.classifiers()]
    order += [stage for maker in makers for stage in maker.generators()]
    order += _ablation(out, scale)
    order += [stage for maker in makers for stage in maker.comparisons()]
    return order


def on_device(scale: Scale, device: str) -> Scale:
    """Return the sizes with ``--device`` in the options of every command that takes it."""
    if device == "auto":
        return scale
    more = ("--device", device)
    return replace(
        scale,
        speech_classifier=(*more, *scale.speech_classifier),
        sound_classifier=(*more, *scale.sound_classifier),
        gan=(*more, *scale.gan),
        spectral=(*more, *scale.spectral),
        evaluation=(*more, *scale.evaluation),
        comparison=(*more, *scale.comparison),
        curves=(*more, *scale.curves),
    )


@dataclass(frozen=True)
class _Maker:
    """Makes the stages of one setting."""

    folder: Path
    scale: Scale
    setting: Setting
    cache: Path

    @property
    def _speech(self) -> bool:
        return self.setting.key == "speech"

    def _name(self, name: str) -> str:
        return f"{self.setting.key}/{name}"

    def corpus(self) -> list[Stage]:
        words = self.setting.corpus
        if not words:
            return []
        done = self.folder / "corpus" / "corpus.json"
        title = f"the embedded corpus of {self.setting.key}"
        return [Stage(self._name("corpus"), title, (words,), done, cost=60)]

    def _train_classifier(self, name: str, title: str, more: Words) -> Stage:
        sizes = self.scale.speech_classifier if self._speech else self.scale.sound_classifier
        words = ("train", "classifier", *sizes, "--model", self.setting.model, *self.setting.data)
        words = (
            *words,
            *self.scale.data,
            *more,
            "--cache",
            str(self.cache),
            "--out",
            str(self.folder / name),
        )
        needs = (self._name("corpus"),) if self.setting.corpus else ()
        done = self.folder / name / "summary.json"
        return Stage(self._name(name), title, (words,), done, needs, cost=400)

    def classifiers(self) -> list[Stage]:
        kind = {"wide-resnet": "WideResNet", "sample-cnn": "SampleCNN"}[self.setting.model]
        found = [self._train_classifier("classifier", f"{kind} for {self.setting.key}", ())]
        if self.setting.leak:
            title = f"{kind} with the same recordings in training and test"
            leaky = ("--split", self.setting.leak)
            found.append(self._train_classifier("classifier-leak", title, leaky))
        return found

    def generators(self) -> list[Stage]:
        sizes = self.scale
        passes = {
            "speech": sizes.epochs,
            "sounds": sizes.sound_epochs,
            "music": sizes.music_epochs,
        }
        epochs = passes[self.setting.key]
        labels = self.setting.labels
        together = self.scale.unified_epochs or epochs * len(labels)
        all_epochs = ("--training.epochs", str(together))
        more = [self._trained("all", "the paper's generator for all targets", all_epochs)]
        at = ("--budget", f"snr:{SPECTRAL_DB}")
        train = (*self.scale.spectral, "--snr-db", str(SPECTRAL_DB))
        title = "this project's generator for all targets"
        more.append(self._stage("spectral", title, [self._pair("spectral", train, at)], 500))
        if self.setting.key in self.scale.singles:
            more += self._singles(epochs)
        return more

    def _trained(self, name: str, title: str, words: Words) -> Stage:
        return self._stage(name, title, [self._pair(name, (*self.scale.gan, *words))], 1200)

    def _singles(self, epochs: int) -> list[Stage]:
        labels = self.setting.labels[: self.scale.single_targets]
        pairs = [
            self._pair(
                f"one-{label}",
                (*self.scale.gan, "--training.epochs", str(epochs), "--target", label),
                self.scale.small_evaluation,
            )
            for label in labels
        ]
        if self.scale.together:
            return [self._stage("one", "the paper's generators, one for each target", pairs, 60)]
        return [
            self._stage(f"one-{label}", f"the paper's generator for “{label}”", [pair], 150)
            for label, pair in zip(labels, pairs, strict=True)
        ]

    def _pair(self, name: str, train: Words, measure: Words = ()) -> tuple[Words, Words]:
        """Return the commands that train and evaluate a generator."""
        return train_and_evaluate(
            self.folder / name, self.folder / "classifier", self.scale, train, measure
        )

    def _stage(
        self, name: str, title: str, pairs: Sequence[tuple[Words, Words]], cost: float
    ) -> Stage:
        commands = tuple(words for pair in pairs for words in pair)
        done = Path(commands[-1][-1]) / "results.json"
        needs = (self._name("classifier"),)
        return Stage(self._name(name), title, commands, done, needs, cost)

    def comparisons(self) -> list[Stage]:
        found = []
        for name, title, generator, words in (
            ("comparison", "Table 1: attacks on the same pairs", "all", self.scale.comparison),
            ("curves", "success over the ratio", "spectral", self.scale.curves),
        ):
            out = self.folder / name
            command = ("compare", "--generator", str(self.folder / generator / "generator"))
            done = out / "comparison.json"
            found.append(
                Stage(
                    self._name(name),
                    title,
                    ((*command, *words, "--out", str(out)),),
                    done,
                    (self._name(generator),),
                    cost=300,
                )
            )
        return found


def train_and_evaluate(
    folder: Path, classifier: Path, scale: Scale, train: Words, measure: Words
) -> tuple[Words, Words]:
    """Return the commands that train a generator in ``folder/generator`` and evaluate it.

    Args:
        folder: Holds ``generator`` and ``evaluation``.
        classifier: Run of the classifier to attack.
        scale: Sizes of the evaluation.
        train: Further options of the training.
        measure: Further options of the evaluation.
    """
    generator, evaluation = str(folder / "generator"), str(folder / "evaluation")
    trained = ("train", "generator", *train, "--classifier", str(classifier), "--out", generator)
    tried = ("evaluate", "--generator", generator, *scale.evaluation, *measure)
    return trained, (*tried, "--out", evaluation)


def ablation_folder(out: Path, variant: Variant, seed: int) -> Path:
    """Return the folder of one training of the ablation."""
    return out / "ablation" / f"{variant.name}-{variant.reading}-{seed}"


def _ablation(out: Path, scale: Scale) -> list[Stage]:
    """Return a stage for each variant, which trains it with every seed."""
    found = []
    pair = ("--target", TARGET, "--source", SOURCE)
    for variant in VARIANTS:
        commands: list[Words] = []
        for seed in scale.ablation_seeds:
            train = (*scale.gan, *scale.ablation, *pair, "--training.seed", str(seed))
            train = (*train, "--training.l2-reading", variant.reading, *variant.words)
            folder = ablation_folder(out, variant, seed)
            classifier = out / "speech" / "classifier"
            measure = (*scale.small_evaluation, "--source", SOURCE)
            commands += train_and_evaluate(folder, classifier, scale, train, measure)
        name = f"ablation/{variant.name}-{variant.reading}"
        title = f"ablation: {variant.name}, eq. 9 as in the {variant.reading}"
        done = Path(commands[-1][-1]) / "results.json"
        needs = ("speech/classifier",)
        found.append(Stage(name, title, tuple(commands), done, needs, cost=300))
    return found
