"""From a folder or a hub name to a classifier."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from mondegreen.classifiers.huggingface.extractors import build_port, port_of
from mondegreen.classifiers.huggingface.folder import ModelFolder, open_folder
from mondegreen.classifiers.huggingface.model import (
    HuggingFaceClassifier,
    HuggingFaceConfig,
    HuggingFaceModule,
    ProblemType,
    is_placeholder,
)
from mondegreen.classifiers.huggingface.parity import Parity, check_parity, trial_clips
from mondegreen.errors import MissingExtraError, MondegreenError

# Entries of config.json that change no answer: where and how it was saved, and names of labels,
# which count by themselves.
_WITHOUT_EFFECT = (
    "_name_or_path",
    "architectures",
    "dtype",
    "id2label",
    "label2id",
    "torch_dtype",
    "transformers_version",
)


def from_huggingface(
    place: str | Path,
    *,
    clip_samples: int | None = None,
    labels: Sequence[str] | None = None,
    revision: str | None = None,
    offline: bool = False,
    clips: Tensor | None = None,
    placeholders: bool = False,
) -> HuggingFaceClassifier:
    """Load an audio-classification model of Hugging Face Transformers as a frozen classifier.

    Its feature extractor is replaced by the same in PyTorch, through which gradients reach the
    waveform, and compared with the original: see :class:`~.parity.Parity`, in ``parity``.

    Args:
        place: The folder that ``save_pretrained`` wrote model and extractor to, or ``hf:NAME`` for
            a model of the hub. Only the latter uses the network.
        clip_samples: Samples in a clip; by default one second, or less where the extractor hears
            less. It should be the length of the clips the model was trained on.
        labels: Names of the labels, in the order of the logits; by default those in its
            configuration.
        revision: Of a model of the hub: branch, tag or commit.
        offline: Of a model of the hub: take it from the cache or not at all.
        clips: What to compare the extractors on, ``(clips, 1, clip_samples)``; by default a few
            synthetic sounds.
        placeholders: Take labels without names, such as ``LABEL_0``, as they are.

    Raises:
        MissingExtraError: Transformers is not installed.
        MondegreenError: The model is not there, is no audio classifier, has no safetensors, or its
            extractor is not understood or answers differently in PyTorch.

    Example:
        >>> from_huggingface("nowhere")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        mondegreen.errors.MondegreenError: nowhere holds no config.json, ...
    """
    folder = open_folder(place, revision=revision, offline=offline)
    where = str(folder.preprocessor_path)
    port = port_of(folder.preprocessor, where)
    with _quiet():
        original = _load_extractor(folder)
        model = _load_model(folder)
    extractor = build_port(port, original, where)
    rate = _sample_rate(original, where)
    samples = _clip_samples(clip_samples, rate, port.longest(original), where)
    trial = trial_clips(samples, rate) if clips is None else clips.cpu()
    if trial.shape[1:] != (1, samples):
        raise MondegreenError(f"clips are {tuple(trial.shape)}, not (clips, 1, {samples}).")
    parity = _compare(extractor, original, model, trial, folder)
    return HuggingFaceClassifier(
        HuggingFaceModule(extractor, model, _settings(folder)),
        labels=_labels(labels, model.config, folder, placeholders),
        sample_rate=rate,
        clip_samples=samples,
        name=folder.name,
        problem_type=_problem_type(model.config, folder),
        parity=parity,
        assumed_clip=clip_samples is None,
    ).freeze()


def _compare(
    extractor: nn.Module, original: Any, model: Any, clips: Tensor, folder: ModelFolder
) -> Parity:
    def by_original(x: Tensor) -> dict[str, Tensor]:
        rate = original.sampling_rate
        found = original(list(x.numpy()), sampling_rate=rate, return_tensors="np")
        return {name: torch.from_numpy(np.asarray(value)) for name, value in found.items()}

    try:
        return check_parity(extractor, by_original, model, clips)
    except MondegreenError as error:
        raise MondegreenError(f"{folder.path}: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Transformers from drawing progress bars and giving advice meant for trainings."""
    try:
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("transformers", "hf") from error
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of empty mel bands, which many an AST has
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _load_extractor(folder: ModelFolder) -> Any:
    import transformers

    kind = getattr(transformers, folder.preprocessor["feature_extractor_type"])
    try:
        return kind.from_pretrained(folder.path, local_files_only=True)
    except Exception as error:  # Transformers lets through whatever its parts raise
        raise MondegreenError(f"{folder.preprocessor_path}: {_first_line(error)}") from error


def _load_model(folder: ModelFolder) -> Any:
    """Load the model in float32, in evaluation mode, from safetensors and built-in code alone."""
    import transformers

    kind = getattr(transformers, folder.architecture)
    try:
        model, report = kind.from_pretrained(
            folder.path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            # Said here, so that no configuration can name a kernel to be fetched and run.
            attn_implementation="sdpa" if kind._supports_sdpa else "eager",
            output_loading_info=True,
        )
    except Exception as error:  # Transformers lets through whatever its parts raise
        raise MondegreenError(f"{folder.path} cannot be loaded: {_first_line(error)}") from error
    _refuse_unfilled(model, sorted(report["missing_keys"]), folder)
    return model.eval()


def _refuse_unfilled(model: Any, missing: list[str], folder: ModelFolder) -> None:
    """Refuse weights that the files lack, which Transformers draws at random, or that are NaN."""
    for name, weight in model.named_parameters():
        if name in missing and name.endswith("masked_spec_embed"):
            weight.data.zero_()  # of trainings only: a fixed value, for the fingerprint
        elif name in missing:
            raise MondegreenError(
                f"{folder.path}: the weights {name!r} are missing, so its answers would be random. "
                "Is this a model that was not trained to classify yet?"
            )
        elif not torch.isfinite(weight).all():
            raise MondegreenError(f"{folder.path}: the weights {name!r} hold NaN or infinity.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _sample_rate(original: Any, where: str) -> int:
    rate = original.sampling_rate
    if not isinstance(rate, int) or rate < 1:
        raise MondegreenError(f"{where}: sampling_rate is {rate!r}, which is no rate in Hz.")
    return rate


def _clip_samples(wanted: int | None, rate: int, longest: int | None, where: str) -> int:
    if wanted is None:
        return min(rate, longest or rate)
    if wanted < 1 or (longest is not None and wanted > longest):
        raise MondegreenError(
            f"{where}: clip_samples is {wanted}; choose 1 to {longest or 'as many as memory holds'}"
            ": the extractor cuts off what is longer."
        )
    return wanted


def _settings(folder: ModelFolder) -> HuggingFaceConfig:
    kept = {key: folder.settings[key] for key in folder.settings if key not in _WITHOUT_EFFECT}
    return HuggingFaceConfig(folder.architecture, json.dumps(kept, sort_keys=True))


def _labels(
    given: Sequence[str] | None, config: Any, folder: ModelFolder, placeholders: bool
) -> tuple[str, ...]:
    named = config.id2label
    if given is not None:
        if len(given) != len(named):
            raise MondegreenError(
                f"{len(given)} labels were given, and {folder.path} answers with {len(named)}."
            )
        return tuple(given)
    found = tuple(str(named[index]) for index in range(len(named)))
    if not placeholders and any(map(is_placeholder, found)):
        raise MondegreenError(
            f"{folder.path / 'config.json'}: id2label has placeholders ({found[0]}, ...), so the "
            "labels cannot be matched with clips. Write their names there, or give labels."
        )
    return found


def _problem_type(config: Any, folder: ModelFolder) -> ProblemType:
    kind = config.problem_type or "single_label_classification"
    if kind not in get_args(ProblemType):
        raise MondegreenError(
            f"{folder.path / 'config.json'}: problem_type is {kind!r}, which names no labels."
        )
    return cast(ProblemType, kind)
