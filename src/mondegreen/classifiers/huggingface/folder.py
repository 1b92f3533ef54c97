"""The folder of a model that ``save_pretrained`` wrote, or that came from the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.files import read_json

HUB = "hf:"

ARCHITECTURES = (
    "ASTForAudioClassification",
    "Data2VecAudioForSequenceClassification",
    "HubertForSequenceClassification",
    "SEWDForSequenceClassification",
    "SEWForSequenceClassification",
    "UniSpeechForSequenceClassification",
    "UniSpeechSatForSequenceClassification",
    "Wav2Vec2BertForSequenceClassification",
    "Wav2Vec2ConformerForSequenceClassification",
    "Wav2Vec2ForSequenceClassification",
    "WavLMForSequenceClassification",
    "WhisperForAudioClassification",
)
"""Classes of Transformers that can be loaded."""

_FILES = ("config.json", "preprocessor_config.json", "model*.safetensors", "model*.index.json")
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class ModelFolder:
    """A model on this machine."""

    path: Path
    """The folder."""
    name: str
    """For tables and files."""
    architecture: str
    """The class of the model."""
    settings: dict[str, Any]
    """Content of ``config.json``."""
    preprocessor: dict[str, Any]
    """Content of ``preprocessor_config.json``."""

    @property
    def preprocessor_path(self) -> Path:
        """The file that describes the feature extractor."""
        return self.path / "preprocessor_config.json"


def open_folder(place: str | Path, *, revision: str | None, offline: bool) -> ModelFolder:
    """Find a model and read what it says about itself.

    Args:
        place: Its folder, or ``hf:NAME`` for a model of the hub, which is fetched unless it is in
            the cache.
        revision: Of a model of the hub: branch, tag or commit.
        offline: Of a model of the hub: take it from the cache or not at all.

    Raises:
        MondegreenError: It is not there, or it is no audio classifier that can be loaded.
    """
    if isinstance(place, str) and place.startswith(HUB):
        name = place.removeprefix(HUB)
        path = _fetch(name, revision, offline)
    elif revision is not None:
        raise MondegreenError(f"{place} is a folder, which has no revision; {HUB}NAME has.")
    else:
        path = Path(place)
        name = path.resolve().name
    if not (path / "config.json").is_file():
        raise MondegreenError(
            f"{path} holds no config.json, so there is no model of Transformers in it. Name the "
            f"folder that save_pretrained wrote, or {HUB}OWNER/NAME for a model of the hub."
        )
    settings = _read_object(path / "config.json")
    architecture = _architecture(settings, path)
    if not (path / "preprocessor_config.json").is_file():
        raise MondegreenError(
            f"{path} holds no preprocessor_config.json: what the model is given is not known. Save "
            "its feature extractor beside it: extractor.save_pretrained(folder)."
        )
    _refuse_pickles(path)
    preprocessor = _read_object(path / "preprocessor_config.json")
    return ModelFolder(path, name.rpartition("/")[2], architecture, settings, preprocessor)


def _fetch(name: str, revision: str | None, offline: bool) -> Path:
    """Fetch a model's settings and safetensors from the hub, or find them in its cache."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtraError("transformers", "hf") from error
    try:
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=list(_FILES), local_files_only=offline
            )
        )
    except Exception as error:  # of the network, the hub, the disk, or of a name that is none
        where = "in the cache of the hub" if offline else "at the hub"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MondegreenError(f"{HUB}{name} cannot be had {where}: {reason}") from error


def _read_object(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise MondegreenError(f"{path}: expected an object.")
    return content


def _architecture(settings: dict[str, Any], path: Path) -> str:
    named = settings.get("architectures") or []
    found = [one for one in named if one in ARCHITECTURES] if isinstance(named, list) else []
    if not found:
        raise MondegreenError(
            f"{path / 'config.json'}: architectures is {named!r}; it has to name a model with a "
            f"head for audio classification: {', '.join(ARCHITECTURES)}."
        )
    return str(found[0])


def _refuse_pickles(path: Path) -> None:
    """Refuse a model without safetensors: a pickle can run any code when it is read."""
    if any(path.glob("model*.safetensors")):
        return
    pickles = [file.name for pattern in _PICKLES for file in path.glob(pattern)]
    if pickles:
        raise MondegreenError(
            f"{path} holds its weights as {pickles[0]} only: a pickle, which may run any code when "
            "it is read. If you trust it, convert it where it may: load it with Transformers, then "
            "model.save_pretrained(folder), which writes safetensors."
        )
    raise MondegreenError(f"{path} holds no model.safetensors: the weights are missing.")
