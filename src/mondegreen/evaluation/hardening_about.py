"""What a run's folder tells of a hardening: how it was trained, and what that cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.runs import read_metrics


def about_training(folder: Path) -> dict[str, Any] | None:
    """Return how a classifier was hardened; None where the folder is no finished hardening.

    Args:
        folder: A run's folder, or that of a shipped classifier.

    Returns:
        The ``method`` and its settings, ``cpu_seconds`` of all steps and ``to_kept`` of those up to
        the state that was kept, whether it is ``within_limit``, the command, and the ``course``:
        for each epoch its processor time from the beginning, and clean and robust accuracy on
        validation clips.
    """
    config, summary = (_object(folder / name) for name in ("config.json", "summary.json"))
    if config is None or summary is None or "cpu_seconds_to_kept" not in summary:
        return None
    spent, course = 0.0, []
    for row in read_metrics(folder):
        spent += row.get("train/cpu_seconds") or 0.0
        course.append(
            {
                "cpu_seconds": spent,
                "clean": row.get("validation/accuracy"),
                "robust": row.get("validation/robust"),
            }
        )
    if not course:
        raise MondegreenError(
            f"{folder / 'metrics.jsonl'} is missing or damaged, so nobody can tell how it was "
            "hardened. Restore it, or harden the classifier anew."
        )
    training = config["training"]
    return {
        "method": training["method"],
        "settings": training,
        "floor": config.get("floor"),
        "cpu_seconds": summary["cpu_seconds"],
        "to_kept": summary["cpu_seconds_to_kept"],
        "within_limit": summary["within_limit"],
        "select_db": training["select_db"],
        "max_loss": training["max_loss"],
        "before": {
            "clean": summary["before/validation/accuracy"],
            "robust": summary["before/validation/robust"],
        },
        "course": course,
        "command": summary["command"],
    }


def about_generator(folder: Path) -> dict[str, Any]:
    """Return by which command a generator was trained, and how long; nulls where nobody knows."""
    summary = _object(folder / "summary.json") or {}
    return {name: summary.get(name) for name in ("command", "training_seconds", "epochs")}


def _object(path: Path) -> dict[str, Any] | None:
    found = read_json(path) if path.is_file() else None
    return found if isinstance(found, dict) else None
