"""The cells of a comparison, attack x budget, each a file that is written when it is finished."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.evaluate import describe
from mondegreen.evaluation.partial import Partial
from mondegreen.evaluation.recipes import Entry
from mondegreen.evaluation.results import describe_budget
from mondegreen.evaluation.specs import Sources, build_attack
from mondegreen.files import read_json, write_json

FORMAT = 2


@dataclass(frozen=True)
class Cell:
    """One attack under one budget."""

    label: str
    """The attack's name in tables."""
    attack: Attack
    budget: Budget | None
    """What every perturbation has to keep; None for no limit."""
    family: str = ""
    """Cells that differ in steps or quietness share it; by default the label."""
    steps: int | None = None
    """Gradient steps, of attacks that take them."""
    quietness: float | None = None
    """The generator's quietness, 0 to 1, where it was asked for."""
    smallest: bool = False
    """Whether the smallest perturbation of each clip is sought, so that one run tells the success
    at every signal-to-noise ratio."""

    @property
    def name(self) -> str:
        """A name for the cell's file, the same for the same label and budget.

        Example:
            >>> from mondegreen.budgets import SNR
            >>> Cell("pgd:steps=20", None, SNR(25)).name  # type: ignore[arg-type]
            'pgd-steps=20--snr-25'
        """
        limit = "none" if self.budget is None else f"{self.budget.kind}-{self.budget.value:g}"
        return re.sub(r"[^\w.+=-]+", "-", self.label) + f"--{limit}"

    def about(self) -> dict[str, Any]:
        """Return what identifies the cell in a result file."""
        return {
            "name": self.name,
            "label": self.label,
            "family": self.family or self.label,
            "steps": self.steps,
            "quietness": self.quietness,
            "smallest": self.smallest,
            "attack": describe(self.attack),
            "budget": describe_budget(self.budget),
        }


def build_cells(
    entries: list[Entry], classifier: Classifier, sources: Sources, *, untargeted: bool = False
) -> list[Cell]:
    """Make the attacks that are asked for, each once.

    Args:
        entries: Attacks and budgets.
        classifier: What they will be used against.
        sources: The generator and the folders of trained attacks.
        untargeted: Whether they get away from labels.

    Raises:
        MondegreenError: An attack cannot be made.
    """
    attacks: dict[str, Attack] = {}
    cells = []
    for entry in entries:
        spec = entry.spec
        if spec.text not in attacks:
            attacks[spec.text] = build_attack(spec, classifier, sources, untargeted=untargeted)
        attack = attacks[spec.text]
        steps = spec.options.get("refine", attack.parameters().get("steps"))
        if steps is None and spec.kind == "generator":
            steps = 0
        cells.append(
            Cell(
                label=spec.text,
                attack=attack,
                budget=entry.budget,
                family=spec.family,
                steps=steps if isinstance(steps, int) else None,
                quietness=spec.quietness,
                smallest=spec.seeks_smallest and entry.budget is None,
            )
        )
    return cells


def finished(folder: Path, cell: Cell, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was measured of a cell; None where it is still to be done.

    Args:
        folder: Holds the files of finished cells.
        cell: The cell.
        settings: What it was, or would be, measured with.

    Raises:
        MondegreenError: It was measured, or begun, with other settings, or its file is damaged.
    """
    path = folder / f"{cell.name}.json"
    if not path.exists():
        batches = partial(folder, cell, settings)
        found = batches.found()
        if found is not None:
            _refuse_other(batches.folder, found, settings)
        return None
    content = read_json(path)
    found = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(found, dict) or content.get("format") != FORMAT:
        raise MondegreenError(f"{path} is damaged or of another version; delete it to measure it.")
    _refuse_other(path, found, settings)
    return dict(content)


def partial(folder: Path, cell: Cell, settings: dict[str, Any]) -> Partial:
    """Return the finished batches of a cell that is not finished."""
    return Partial(folder / f"{cell.name}.part", settings)


def _refuse_other(path: Path, found: Any, settings: dict[str, Any]) -> None:
    """Refuse what was measured with other settings than those of now."""
    if not isinstance(found, dict):
        raise MondegreenError(f"{path} is damaged; delete it to measure it again.")
    wanted = json.loads(json.dumps(settings))  # as it reads once it was written: tuples are lists
    names = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
    if names:
        changes = "; ".join(_change(name, found.get(name), wanted.get(name)) for name in names)
        raise MondegreenError(
            f"{path} was measured with other settings ({changes}). All cells of a comparison have "
            "to be measured alike: choose another --out, or delete it to measure it again."
        )


def save(folder: Path, cell: Cell, settings: dict[str, Any], content: dict[str, Any]) -> None:
    """Write a finished cell, whole or not at all; its batches are not needed any more.

    Raises:
        MondegreenError: The file cannot be written.
    """
    write_json(folder / f"{cell.name}.json", {"format": FORMAT, "settings": settings, **content})
    partial(folder, cell, settings).remove()


def _change(name: str, old: Any, new: Any) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        inner = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return ", ".join(_change(f"{name}.{key}", old.get(key), new.get(key)) for key in inner)
    return f"{name}: {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
