"""Trained models that come with the package, each with its card.

A model's folder holds a classifier and, of most, a generator trained against it (``*.json``,
``*.safetensors``), the measured figures (``measured.json``) and ``CARD.md``.
"""

from __future__ import annotations

from pathlib import Path

from mondegreen.errors import MondegreenError

PREFIX = "zoo:"


def models(*, generators: bool = False) -> tuple[str, ...]:
    """Return the names of the models that come with the package.

    Args:
        generators: Only those with a generator against their classifier.

    Example:
        >>> models(generators=True)
        ('speech-commands',)
    """
    folder = Path(__file__).parent
    name = "generator.json" if generators else "classifier.json"
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{name}")))


def resolve(path: Path) -> Path:
    """Return the folder of a run, or of a shipped model where ``path`` is ``zoo:<name>``.

    Raises:
        MondegreenError: No such model comes with the package, or nothing can lie at that path.

    Example:
        >>> resolve(Path("runs/mine")).name
        'mine'
    """
    text = str(path)
    if not text.startswith(PREFIX):
        try:
            (path / "checkpoints" / "latest" / "classifier.json").is_file()  # as long as they get
        except OSError as error:  # too long a name, or a folder that is closed to this user
            shown = text if len(text) < 200 else f"{text[:200]}..."
            raise MondegreenError(f"{shown}: {error.strerror}.") from error
        return path
    name = text.removeprefix(PREFIX)
    if name not in models():
        raise MondegreenError(
            f"no model {text!r} comes with the package; there are: "
            f"{', '.join(PREFIX + model for model in models()) or 'none'}."
        )
    return Path(__file__).parent / name
