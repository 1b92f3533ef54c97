"""``mondegreen train generator``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, get_args

import tyro

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.ensemble import Combination, Ensemble, save_ensemble
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.clips import data_of, of_labels
from mondegreen.cli.options import (
    Device,
    Precision,
    choose_speed,
    join_repeated,
    parse,
    peek,
    say,
    shared_work,
)
from mondegreen.compilation import compile_in_place
from mondegreen.configs import free
from mondegreen.data.augment import Augment
from mondegreen.data.options import DataOptions, Material, open_material
from mondegreen.errors import MondegreenError
from mondegreen.extensions import find, is_place
from mondegreen.gan.channel_mix import ChannelMix
from mondegreen.gan.config import BudgetSchedule, GeneratorTraining
from mondegreen.gan.training import GeneratorTrainer
from mondegreen.generators.generator import (
    GeneratorConfig,
    NetworkConfig,
    describe_classifier,
    load_generator,
)
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.presets import (
    NetworkKind,
    Preset,
    generator_network,
    generator_training,
    network_at,
)
from mondegreen.processes.follower import open_run
from mondegreen.processes.place import Place, ProcessOptions
from mondegreen.processes.starting import together
from mondegreen.zoo import resolve


@dataclass(frozen=True)
class TrainGenerator:
    """Options of ``train generator``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Without --data: the clips that the classifier was trained on. With or without, they are
    divided as in that training, unless --split says otherwise."""
    classifier: Path
    """Run folder of the classifier to attack, zoo:<name>, or a model such as my_model.py:build."""
    out: Path
    """The run's folder; the same command continues there."""
    training: GeneratorTraining
    architecture: NetworkConfig
    ensemble: tuple[Path, ...] = ()
    """Run folders of further classifiers to attack together with --classifier, all at once. The run
    lists them all in <out>/ensemble, which other commands take as a classifier."""
    combine: Combination = "probabilities"
    """How the answers of an ensemble become one: by their mean probability, or by their mean
    logits, of which a member that is fooled by a wide margin outvotes the others."""
    target: tuple[str, ...] = ()
    """Labels to reach: one, several, or by default all, by one network."""
    source: tuple[str, ...] = ()
    """Attack only clips of these labels, such as yes; by default all but a single target's own."""
    snr_db: float | None = None
    """Train for this signal-to-noise ratio, kept exactly, in place of --training.budget.final-db;
    the paper's generator, which has no budget, gets one."""
    start_from: Path | None = None
    """Run folder of a trained generator, or zoo:<name>, to go on from instead of random weights;
    it needs the same architecture and as many targets, but may know another classifier."""
    channel: tuple[str, ...] = ()
    """Train through channels, one drawn for each batch: names as mondegreen channels takes them,
    such as phone-call over-the-air mp3:kbps=64."""
    channel_share: float = 0.75
    """Share of the batches that pass a channel; the others are heard as they are made."""
    preset: Preset = "cpu"
    """smoke, demo, cpu or paper: the defaults of every other option."""
    network: str | None = None
    """spectral (fast, on the spectrum), unet (the paper's), or module:Class for a network of your
    own; by default the preset's."""
    tensorboard: bool = free(False)
    """Write losses, gradient norms and sounds for TensorBoard, too, to <out>/tensorboard (extra
    track); it changes nothing else, and may be given or left out when a run is continued."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    precision: Precision = "32-true"
    """Mixed precision pays on GPUs."""
    compile: bool = False
    """Compile the networks by torch.compile: the first steps take a minute or more, the others less
    on GPUs."""
    fast: bool = False
    """On a GPU, --precision bf16-mixed and --compile; on a CPU, where they seldom pay, neither."""
    processes: Annotated[ProcessOptions, tyro.conf.arg(name="")] = free(ProcessOptions())


def default(preset: Preset, network: str | None = None) -> TrainGenerator:
    """Return the options of a preset."""
    training = generator_training(preset, network)
    return TrainGenerator(
        data=DataOptions(),
        classifier=Path("runs/classifier"),
        out=Path("runs/generator"),
        training=training,
        architecture=generator_network(preset, network),
        preset=preset,
        network=network,
    )


def run(words: Sequence[str]) -> None:
    """Parse the words and train."""
    preset = peek(words, "--preset", get_args(Preset)) or "cpu"
    network = peek(words, "--network")
    if network is not None and network not in get_args(NetworkKind):
        find_own(network)
    options = default(preset, network)  # type: ignore[arg-type]
    description = "Train a generator of adversarial clips against a classifier (Algorithm 1)."
    words = join_repeated(words, "--channel")
    execute(parse(TrainGenerator, words, "train generator", description, options))


def find_own(network: str) -> None:
    """Import a network from outside, from this folder, too.

    Raises:
        MondegreenError: It is not there.
    """
    if not is_place(network):
        known = ", ".join(get_args(NetworkKind))
        raise MondegreenError(f"--network is {network!r}; choose from: {known}, or module:Class.")
    find(network, f"network {network!r}")


def execute(options: TrainGenerator) -> None:
    """Train a generator, or continue, or say that it is trained."""
    with shared_work(options.processes) as place:
        _train(options, place)


def _train(options: TrainGenerator, place: Place) -> None:
    attacked = options.classifier
    channels = ChannelMix.parse(options.channel, options.channel_share)
    classifier, options = load_attacked(options)
    start = () if options.start_from is None else (options.start_from,)
    data = data_of(attacked, options.data, beside=(*options.ensemble, *start))
    options = replace(options, data=data)
    for target in options.target:
        classifier.label_index(target)
    material = open_material(
        options.data, classifier.labels, classifier.sample_rate, classifier.clip_samples
    )
    splits = {
        name: of_labels(data, classifier, options.source) for name, data in material.splits.items()
    }
    training = with_budget(options.training, options.snr_db)
    config = _config(options, training, classifier)
    folder = open_run(options.out, options, place, tensorboard=options.tensorboard)
    device, precision, compiled = choose_speed(options)
    with together(place, device.type, precision) as fabric:
        trainer = GeneratorTrainer(
            config,
            training,
            classifier=classifier,
            splits=splits,
            unlabelled=material.unlabelled,
            augment=_augment(training, classifier, material),
            channels=channels,
            run=folder,
            fabric=fabric,
        )
        if compiled:
            _compile(trainer)
        if options.start_from is not None and trainer.state.step == 0:
            trainer.start_from(load_generator(resolve(options.start_from)))
        if options.ensemble and isinstance(classifier, Ensemble) and place.rank == 0:
            save_ensemble(options.classifier, classifier, options.ensemble)
        trainer.fit()
    _tell(trainer, options.out, place)


def _compile(trainer: GeneratorTrainer) -> None:
    adversary = trainer.state.adversary
    judge = None if adversary is None else adversary.network
    compile_in_place(trainer.state.generator, trainer.classifier, judge)


def _config(
    options: TrainGenerator, training: GeneratorTraining, classifier: Classifier
) -> GeneratorConfig:
    """Return what the generator is, and what it is trained against."""
    final_db = training.budget.final_db if training.budget else None
    network = options.architecture
    if _frames(network) == _frames(generator_network(options.preset, options.network)):
        network = network_at(network, classifier.sample_rate)  # frames last as long
    return describe_classifier(classifier, network, options.target, final_db)


def _tell(trainer: GeneratorTrainer, out: Path, place: Place) -> None:
    """Write and print what came out."""
    state = trainer.state
    success = max(state.best_success, state.successes[-1] if state.best_success < 0 else 0.0)
    about = {"processes": place.count} if place.count > 1 else {}
    trainer.run.finish({"validation/success": success, "epochs": state.epoch, **about})
    say(
        f"{state.generator.name} generator: {state.generator.parameter_count():,} parameters, "
        f"{100 * success:.1f} % success on validation clips. Saved in {out}."
    )


def _frames(network: NetworkConfig) -> tuple[int, int] | None:
    """Return window and hop in samples, of a network that has them."""
    return (network.window, network.hop) if isinstance(network, SpectralConfig) else None


def load_attacked(options: TrainGenerator) -> tuple[Classifier, TrainGenerator]:
    """Return what is to be attacked, and the options as the run's ``config.json`` keeps them.

    There the classifier is what a generator's run can be used against later: of several, the
    ensemble that the run itself lists, and all members stand in ``ensemble``.

    Raises:
        MondegreenError: A classifier cannot be loaded, or they cannot be attacked together.
    """
    if not options.ensemble:
        return load_classifier(options.classifier), options
    places = (options.classifier, *options.ensemble)
    classifier = Ensemble([load_classifier(place) for place in places], combine=options.combine)
    kept = replace(options, classifier=options.out / "ensemble", ensemble=places)
    return classifier.freeze(), kept


def with_budget(training: GeneratorTraining, snr_db: float | None) -> GeneratorTraining:
    """Return the training with its final budget set to ``snr_db``, if that is given."""
    if snr_db is None:
        return training
    schedule = training.budget or BudgetSchedule(start_db=snr_db, ramp=0.0, spread_db=(0.0, 0.0))
    return replace(training, budget=replace(schedule, final_db=snr_db))


def _augment(
    training: GeneratorTraining, classifier: Classifier, material: Material
) -> Augment | None:
    if training.augment is None:
        return None
    return Augment(training.augment, classifier.sample_rate, material.noise, material.unlabelled)
