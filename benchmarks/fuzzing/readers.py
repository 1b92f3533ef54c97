"""Everything that reads a file that somebody else may have made, with whole files to begin from."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from benchmarks.fuzzing.mutations import damage, damage_json

from mondegreen.audio import read_mono
from mondegreen.budgets import parse_budget
from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.data.cache import ClipCache
from mondegreen.data.folder import folder_corpus
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.specs import parse_spec
from mondegreen.generators.generator import (
    Generator,
    describe_classifier,
    load_generator,
    save_generator,
)
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.report.channel_results import load_channels
from mondegreen.report.comparison_results import load_comparison
from mondegreen.report.pairs import load_pairs
from mondegreen.report.reproduction.results import load_reproduction
from mondegreen.report.results import load_metrics, load_results
from mondegreen.report.transfer_results import load_transfer
from mondegreen.runs import Run
from mondegreen.sound_files import SoundReader

Damage = Callable[[bytes, Any], bytes]

RATE = 4000


@dataclass(frozen=True)
class Reader:
    """Something that reads a file."""

    name: str
    file: str
    """The file that is damaged, in the folder that :attr:`prepare` fills."""
    prepare: Callable[[Path], None]
    read: Callable[[Path], object]
    """Gets the folder; returns or raises MondegreenError, whatever the file holds."""
    damage: Damage = damage


@dataclass(frozen=True)
class Settings:
    """The configuration of a run."""

    epochs: int = 1


def plain_readers(results: Path) -> list[Reader]:
    """Return the readers of files that stand for themselves.

    Args:
        results: The folder of result files that come with the sources.
    """
    return [*_sounds(), *_models(), *_states(), *_results(results), *_texts()]


def _sounds() -> list[Reader]:
    def reader(suffix: str, subtype: str) -> Reader:
        def prepare(folder: Path) -> None:
            x = 0.3 * np.sin(np.arange(2 * RATE) / 7)
            soundfile.write(folder / f"x{suffix}", np.stack([x, x], 1), 8000, subtype=subtype)

        def read(folder: Path) -> None:
            read_mono(folder / f"x{suffix}", RATE)

        return Reader(f"read_mono {suffix} {subtype}", f"x{suffix}", prepare, read)

    def blocks(folder: Path) -> None:
        with SoundReader(folder / "x.wav") as sound:
            for _ in sound.blocks(1000):
                pass

    kinds = [(".wav", "PCM_16"), (".wav", "FLOAT"), (".wav", "PCM_24"), (".wav", "ULAW")]
    kinds += [
        (".flac", "PCM_16"),
        (".ogg", "VORBIS"),
        (".mp3", "MPEG_LAYER_III"),
        (".au", "PCM_16"),
    ]
    found = [reader(suffix, subtype) for suffix, subtype in kinds]
    return [*found, Reader("SoundReader", "x.wav", found[0].prepare, blocks)]


def small_classifier(seed: int = 0) -> tuple[ClassifierConfig, Classifier]:
    """Return an untrained classifier that is loaded in no time."""
    front_end = LogMelConfig(
        sample_rate=RATE, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
    )
    config = ClassifierConfig(
        labels=("no", "yes"),
        front_end=front_end,
        backbone=TCResNetConfig(width=0.25),
        sample_rate=RATE,
        clip_samples=1024,
    )
    torch.manual_seed(seed)
    return config, Classifier.from_config(config).freeze()


def _models() -> list[Reader]:
    def prepare(folder: Path) -> None:
        config, classifier = small_classifier()
        save_classifier(folder, classifier, config)
        network = SpectralConfig(window=128, hop=64, patch=1, width=8, blocks=1, bands=24)
        save_generator(folder, Generator(describe_classifier(classifier, network, (), 20.0)))

    def classifier(folder: Path) -> None:
        load_classifier(folder)

    def generator(folder: Path) -> None:
        load_generator(folder)

    return [
        Reader("classifier.json", "classifier.json", prepare, classifier, damage_json),
        Reader("classifier.safetensors", "classifier.safetensors", prepare, classifier),
        Reader("generator.json", "generator.json", prepare, generator, damage_json),
        Reader("generator.safetensors", "generator.safetensors", prepare, generator),
    ]


def _states() -> list[Reader]:
    def run(folder: Path) -> None:
        begun = Run(folder, Settings())
        begun.log(1, {"loss": 0.5})
        begun.save_state({"step": 1, "weights": torch.arange(8.0)})

    def resume(folder: Path) -> None:
        Run(folder, Settings()).load_state()

    def batches(folder: Path) -> None:
        Partial(folder, {}).save(0, {"after": np.arange(4), "snr_db": np.ones(4)})

    def batch(folder: Path) -> None:
        Partial(folder, {}).load(0)

    def cache(folder: Path) -> None:
        for label in ("no", "yes"):
            (folder / label).mkdir()
            soundfile.write(folder / label / "x.wav", np.ones(40) / 2, RATE)
        build(folder)
        (index,) = (folder / "cache").glob("*.json")
        shutil.copy(index, folder / "index.json")

    def build(folder: Path) -> None:
        saved, place = folder / "index.json", folder / "cache"
        if saved.exists():
            (index,) = place.glob("*.json")
            shutil.copy(saved, index)
        corpus = folder_corpus(folder, labels=("no", "yes"))
        found = ClipCache.build(corpus, sample_rate=RATE, clip_samples=40, folder=place)
        if int(found.read([0, 1]).sum()) != 80 * 16384:
            raise AssertionError("the cache does not hold the clips")

    return [
        Reader("state.pt", "checkpoints/latest/state.pt", run, resume),
        Reader("config.json", "config.json", run, resume, damage_json),
        Reader("metrics.jsonl", "metrics.jsonl", run, resume),
        Reader("batch.npz", "000000.npz", batches, batch),
        Reader("cache index", "index.json", cache, build, damage_json),
    ]


def _results(results: Path) -> list[Reader]:
    def reader(source: str, load: Callable[[Path], object]) -> Reader:
        name = Path(source).name

        def prepare(folder: Path) -> None:
            content = json.loads((results / source).read_text())
            (folder / name).write_text(json.dumps(shortened(content)))

        return Reader(name, name, prepare, lambda folder: load(folder / name), damage_json)

    def metrics(folder: Path) -> None:
        (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5, "x": null}\n' * 3)

    def pairs(folder: Path) -> None:
        head = "clip,source,target,before,after,success,correct,snr_db,pesq_nb,pesq_wb,stoi\n"
        (folder / "pairs.csv").write_text(head + "yes/a.wav,yes,no,yes,no,1,1,20.0,3.5,3.1,0.9\n")

    return [
        reader("spotter-spectral-20db/results.json", load_results),
        reader("spotter-table-1/comparison.json", load_comparison),
        reader("spotters-transfer/transfer.json", load_transfer),
        reader("spotter-channels/channels.json", load_channels),
        reader("reproduction-cpu/reproduction.json", load_reproduction),
        Reader(
            "load_metrics", "metrics.jsonl", metrics, lambda f: load_metrics(f / "metrics.jsonl")
        ),
        Reader("pairs.csv", "pairs.csv", pairs, lambda f: load_pairs(f / "pairs.csv")),
    ]


def shortened(value: Any) -> Any:
    """Return JSON with long lists cut, so that damage hits the structure."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) > 12:
        return value[:12] if not isinstance(value[0], int | float) else value
    return [shortened(item) for item in value] if isinstance(value, list) else value


def _texts() -> list[Reader]:
    def reader(name: str, text: str, parse: Callable[[str], object]) -> Reader:
        def prepare(folder: Path) -> None:
            (folder / "text").write_text(text)

        def read(folder: Path) -> None:
            parse((folder / "text").read_bytes().decode("utf-8", "surrogateescape"))

        return Reader(name, "text", prepare, read)

    return [
        reader("budget", "snr:20.5", parse_budget),
        reader("channel", "lowpass:hz=4000+noise:kind=pink,snr_db=20", parse_channel),
        reader("attack", "pgd:steps=20,draws=2,channel=gain:db=-6@snr:20", parse_spec),
    ]


def bytes_of(reader: Reader, folder: Path) -> bytes:
    """Fill a folder and return the whole content of the file that is going to be damaged."""
    reader.prepare(folder)
    return io.BytesIO((folder / reader.file).read_bytes()).getvalue()
