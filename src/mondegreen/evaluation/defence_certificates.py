"""Certificates of the defences by Gaussian noise in a measurement, kept in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mondegreen.channels import Gaussian
from mondegreen.classifiers.defended import Defended
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.certification import (
    ALPHA,
    certified_radius,
    certify,
    describe_certificates,
)
from mondegreen.evaluation.sieges import DefenceBench
from mondegreen.files import read_json, write_json


def certificates(
    bench: DefenceBench, folder: Path, clips: int, draws: int
) -> dict[str, dict[str, Any]]:
    """Return what is proven of the defences that are Gaussian noise and nothing else.

    Args:
        bench: Classifier, defences and clips.
        folder: Of the measurement: what ``certificates.json`` holds there is not counted again.
        clips: How many to prove something of, spread evenly over the data; 0 none.
        draws: Votes that each certificate counts.

    Raises:
        MondegreenError: The file is damaged or cannot be written.
    """
    path = folder / "certificates.json"
    kept = read_json(path) if path.is_file() else {}
    if not isinstance(kept, dict):
        raise MondegreenError(f"{path} is damaged; delete it to count the votes again.")
    found = {}
    rows = torch.linspace(0, len(bench.data) - 1, min(clips, len(bench.data))).round().long()
    for shield in bench.shields:
        behind = shield.classifier
        noise = behind.channel if isinstance(behind, Defended) else None
        if not clips or not isinstance(noise, Gaussian):
            continue
        if shield.name not in kept:
            random = torch.Generator().manual_seed(bench.options.seed)
            x = bench.data.waveforms(rows, bench.classifier.normalization)
            proven = certify(bench.classifier, noise, x, random=random, draws=draws)
            kept[shield.name] = describe_certificates(proven, bench.data.labels[rows])
            most = certified_radius(draws, draws, noise.sigma, ALPHA)
            kept[shield.name] |= {"draws": draws, "highest_radius": most}
            write_json(path, kept)
        found[shield.name] = dict(kept[shield.name])
    return found
