"""A new entry from a result file: what is measured there, nobody has to copy."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.leaderboard.subjects import weights_digest
from mondegreen.report.leaderboard.entry import DETECTOR, HARDENING, INPUT, NONE, Reference
from mondegreen.report.leaderboard.knowledge import KNOWING, WHITE_BOX
from mondegreen.report.leaderboard.measured import Measured
from mondegreen.report.leaderboard.references import read_reference
from mondegreen.report.leaderboard.threats import GOALS

_CLAIM = re.compile(r"(\w+)@([\w.]+(?::[\d.]+)?)(?:=([\d.]+))?")


def parse_reference(text: str, root: Path) -> Reference:
    """Read ``FILE.json`` or ``FILE.json:ROW``.

    Args:
        text: A result file and which of its classifiers, defences or settings.
        root: The folder that entries name files from.

    Raises:
        MondegreenError: The file does not lie below ``root``.
    """
    file, dot, row = text.partition(".json:")
    name = f"{file}.json" if dot else text
    try:
        path = Path(name).absolute().relative_to(root.absolute())
    except ValueError as error:
        raise MondegreenError(
            f"--result {name} does not lie below {root}; copy it to results/ there, and name that."
        ) from error
    return Reference(PurePosixPath(path.as_posix()), row or None)


def parse_defence_kind(text: str) -> dict[str, str]:
    """Read a defence as an option gives it.

    Args:
        text: ``none``, or ``input:SPEC``, ``detector:SPEC``, ``hardening:NAME``.

    Raises:
        MondegreenError: It is not understood.

    Example:
        >>> parse_defence_kind("input:quantize:bits=7")
        {'kind': 'input', 'spec': 'quantize:bits=7'}
    """
    kind, _, spec = text.partition(":")
    if kind == NONE and not spec:
        return {"kind": NONE, "spec": ""}
    if kind not in (INPUT, DETECTOR, HARDENING) or not spec:
        raise MondegreenError(
            f"--defence {text!r} is not understood; write none, input:SPEC, detector:SPEC or "
            "hardening:NAME, such as input:quantize:bits=7."
        )
    return {"kind": kind, "spec": spec}


def parse_claim(text: str, knowledge: str, source: str, pairs: int | None) -> dict[str, Any]:
    """Read against whom an entry is said to hold, and the figure that is reported for it.

    Args:
        text: ``GOAL@BUDGET`` or ``GOAL@BUDGET=SHARE``.
        knowledge: What the attacker knows.
        source: Where the figure stands.
        pairs: How many it rests on, if that is known.

    Raises:
        MondegreenError: It is not understood, or a figure is given and not where it stands.

    Example:
        >>> parse_claim("untargeted@snr:30", "white box", "", None)["budget"]
        'snr:30'
    """
    found = _CLAIM.fullmatch(text)
    if found is None or found.group(1) not in GOALS:
        raise MondegreenError(
            f"--against {text!r} is not understood; write untargeted@snr:30, or with the share of "
            "pairs that are said to withstand: untargeted@snr:30=0.66."
        )
    goal, budget, share = found.groups()
    reported = None
    if share is not None:
        if not source:
            raise MondegreenError(f"--against {text}: name where the figure stands: --reported-in.")
        reported = {"robust_accuracy": float(share), "source": source, "pairs": pairs}
    return {
        "goal": goal,
        "knowledge": knowledge,
        "budget": budget,
        "channel": None,
        "attack": None,
        "reported": reported,
    }


def strongest_attacker(defence: dict[str, str]) -> str:
    """Return what the strongest attacker on a defence knows."""
    return KNOWING if defence["kind"] in (INPUT, DETECTOR) else WHITE_BOX


def new_entry(
    title: str,
    reporter: tuple[str, str, datetime.date],
    place: str,
    defence: dict[str, str],
    claims: Sequence[dict[str, Any]],
    references: Sequence[Reference],
    root: Path,
    note: str,
) -> dict[str, Any]:
    """Return the content of an entry; classifier and clips are taken from the result files.

    Args:
        title: What it is, in a line.
        reporter: Authors, link and date.
        place: Where the classifier is.
        defence: Its kind and spec.
        claims: Against whom it is said to hold.
        references: The result files.
        root: The folder that they are named from.
        note: What else has to be known.

    Raises:
        MondegreenError: A result file is missing, damaged or has no such row, or there are no
            weights in ``place``.
    """
    if not references:
        raise MondegreenError("--result is missing: name the file that holds the measurement.")
    found: list[Measured] = [read_reference(one, root, "--result") for one in references]
    return {
        "format": 1,
        "title": title,
        "reported_by": {
            "authors": reporter[0],
            "link": reporter[1],
            "date": reporter[2].isoformat(),
        },
        "classifier": _classifier(found[0], place),
        "defence": defence,
        "data": _data(found[0]),
        "threat_models": list(claims),
        "measured": [{"file": str(one.file), "row": one.row} for one in references],
        "smoke": None,
        "beside": None,
        "note": note,
    }


def _classifier(found: Measured, place: str) -> dict[str, Any]:
    measured = found.classifier
    return {
        "place": place,
        "sha256": weights_digest(Path(place)),
        "fingerprint": measured.fingerprint,
        "architecture": measured.name,
        "parameters": measured.parameters,
    }


def _data(found: Measured) -> dict[str, Any]:
    data = found.data
    return {
        "corpus": data.name,
        "split": data.split,
        "split_kind": data.split_kind,
        "clips": data.clips,
        "speakers": data.groups,
    }
