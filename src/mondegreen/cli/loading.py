"""Finding the classifier that a generator belongs to."""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json


def classifier_folder(generator: Path) -> Path:
    """Return the folder of the classifier that a generator's run was trained against.

    Raises:
        MondegreenError: The run does not say, or the folder is gone.
    """
    if (generator / "classifier.json").is_file():  # a shipped model's folder holds both
        return generator
    path = generator / "config.json"
    saved = read_json(path) if path.is_file() else None
    named = saved.get("classifier") if isinstance(saved, dict) else None
    if not isinstance(named, str):
        raise MondegreenError(f"{generator} does not name its classifier; give --classifier.")
    if not Path(named).exists():
        raise MondegreenError(
            f"the classifier of {generator} was in {named}, which is gone; give --classifier."
        )
    return Path(named)
