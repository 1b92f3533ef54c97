"""Everything that a reproduction measured, as one ``reproduction.json``."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.configs import from_dict
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.results import describe_classifier
from mondegreen.files import read_json, write_json
from mondegreen.reproduction.ablation import ablation
from mondegreen.reproduction.generators import generators
from mondegreen.reproduction.scale import Scale
from mondegreen.reproduction.setting import Setting
from mondegreen.runs import command_line, environment
from mondegreen.stages.stage import Outcome, Stage

FORMAT = 1


def gather(
    out: Path,
    scale: Scale,
    found: Sequence[Setting],
    stages: Sequence[Stage],
    outcomes: Mapping[str, Outcome],
) -> Path:
    """Write ``reproduction.json``: what was measured, and for what is missing, why.

    A setting without a classifier is left out; its stages say why.

    Args:
        out: The reproduction's folder.
        scale: Its sizes.
        found: Its settings.
        stages: Its stages.
        outcomes: What became of each.

    Raises:
        MondegreenError: A result file is damaged, or the folder cannot be written.
    """
    examples = out / "examples" / "examples.json"
    content = {
        "format": FORMAT,
        "preset": scale.name,
        "command": command_line(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": environment(),
        "stages": [_stage(stage, outcomes[stage.name]) for stage in stages],
        "settings": [
            setting_results(out, setting, outcomes)
            for setting in found
            if (out / setting.key / "classifier" / "summary.json").is_file()
        ],
        "ablation": ablation(out, scale.ablation_seeds),
        "examples": read_json(examples) if examples.is_file() else [],
    }
    path = out / "reproduction.json"
    write_json(path, content)
    return path


def _stage(stage: Stage, outcome: Outcome) -> dict[str, Any]:
    return {"name": stage.name, "title": stage.title, "command": stage.text, **vars(outcome)}


def setting_results(out: Path, setting: Setting, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return what was measured in one setting, whose classifier is trained.

    Args:
        out: The reproduction's folder.
        setting: Which.
        outcomes: What became of the stages, which says why something is missing.
    """
    folder = out / setting.key
    classifier = load_classifier(folder / "classifier")
    planned = any(name.startswith(f"{setting.key}/one") for name in outcomes)
    about, groups = _data(folder / "classifier", classifier)
    return {
        "key": setting.key,
        "reported": {"speech": "speech", "music": "music", "sounds": "music"}[setting.key],
        "labels": list(classifier.labels),
        **_words(setting),
        "classifier": describe_classifier(classifier),
        **about,
        "clean_accuracy": _accuracy(folder / "classifier"),
        "generators": generators(folder, classifier.labels, groups, planned=planned),
        "comparison": _comparison(folder, "comparison", outcomes),
        "curves": _comparison(folder, "curves", outcomes),
        "leak": _leak(folder, setting, classifier, outcomes),
    }


def _divided(setting: Setting) -> str:
    words = dict(pairwise(setting.data))
    kind = words.get("--split", "speaker")
    return {
        "speaker": "track and not by chunk",
        "random-chunk": "chunk, as in the paper",
        "random": "clip",
    }.get(kind, kind)


def _words(setting: Setting) -> dict[str, str]:
    """Return the corpus's name, and in a sentence how it differs from the paper's."""
    made = bool(setting.corpus)
    texts = {
        ("speech", True): (
            "synthetic voices",
            "Ten words by synthetic voices, which differ less than people's, not Speech Commands.",
        ),
        ("speech", False): (
            "Speech Commands",
            "Recordings of the ten words; how many, and by how many speakers, stands beside.",
        ),
        ("music", True): (
            "synthetic music",
            "Music made by a program in ten genres with GTZAN's names, not GTZAN's recordings.",
        ),
        ("music", False): ("GTZAN", f"GTZAN, divided by {_divided(setting)}."),
        ("sounds", False): (
            "ESC-10",
            "Sounds of ten classes, cut into clips of a second as the paper cuts GTZAN.",
        ),
    }
    name, remark = texts[setting.key, made]
    return {"data": name, "remark": remark}


def _data(run: Path, classifier: Classifier) -> tuple[dict[str, Any], dict[str, str]]:
    """Return how the clips are divided, and the speaker or track of each test clip."""
    options = _options(run)
    shape = (classifier.labels, classifier.sample_rate, classifier.clip_samples)
    train, test = (open_test_split(options, *shape, part) for part in ("train", "test"))
    about = {
        "split_kind": options.kind_of_split,
        "train_clips": len(train),
        "test_clips": len(test),
        "groups": len(test.groups),
    }
    groups = [test.corpus.clips[index].group for index in test.indices.tolist()]
    return about, dict(zip(test.names(), groups, strict=True))


def _options(run: Path) -> DataOptions:
    """Return the data options that a run was started with."""
    path = run / "config.json"
    return from_dict(DataOptions, read_json(path).get("data"), str(path))


def _accuracy(run: Path) -> float:
    """Return a classifier's accuracy on the test part, as its training measured it."""
    path = run / "summary.json"
    try:
        return float(read_json(path)["test/accuracy"])
    except (KeyError, TypeError, ValueError) as error:
        raise MondegreenError(f"{path} is damaged; delete {run} and run again.") from error


def _comparison(folder: Path, name: str, outcomes: Mapping[str, Outcome]) -> Any:
    path = folder / name / "comparison.json"
    if not path.is_file():
        return {"missing": _why(outcomes, f"{folder.name}/{name}")}
    return read_json(path)


def _leak(
    folder: Path, setting: Setting, classifier: Classifier, outcomes: Mapping[str, Outcome]
) -> Any:
    """Return the accuracy where recordings are in training and test, beside the honest one."""
    if setting.leak is None:
        return None
    leaky = folder / "classifier-leak"
    if not (leaky / "summary.json").is_file():
        return {"missing": _why(outcomes, f"{setting.key}/classifier-leak")}
    about, _ = _data(leaky, classifier)
    return {
        "split_kind": setting.leak,
        "clean_accuracy": _accuracy(leaky),
        "groups": about["groups"],
        "honest_split_kind": _options(folder / "classifier").kind_of_split,
        "honest_accuracy": _accuracy(folder / "classifier"),
    }


def _why(outcomes: Mapping[str, Outcome], name: str) -> str:
    """Return why a stage has no result."""
    outcome = outcomes.get(name)
    if outcome is None:
        return "not part of this reproduction"
    return (
        f"{outcome.state}: {outcome.reason}" if outcome.reason else f"the stage is {outcome.state}"
    )
