"""One HTML file that tells what an evaluation found: it opens anywhere, offline, with sounds."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from mondegreen.audio import read_audio
from mondegreen.errors import MondegreenError
from mondegreen.files import write_text
from mondegreen.report import figures
from mondegreen.report.comparison import caveat, comparison, machine
from mondegreen.report.formatting import duration, number, option, percent, size
from mondegreen.report.pairs import Pair, Sample, check_labels, load_pairs, load_samples
from mondegreen.report.paper import CITATION, DOI, closest_setting
from mondegreen.report.results import Results, load_metrics, load_results
from mondegreen.report.style import save_figure
from mondegreen.report.through_channels import HEAD, NOTE, channel_rows
from mondegreen.report.views import charts, featured, hear, matrix, target_rows

CLIP_FIGURES = 3


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into an evaluation's folder.

    Args:
        folder: Holds ``results.json``, ``pairs.csv`` and, for the sounds, ``samples/``.

    Returns:
        The page.

    Raises:
        MondegreenError: A file is missing or damaged, or the page cannot be written.
    """
    results, pairs, samples = _load(folder)
    path = folder / "report.html"
    write_text(path, render(results, pairs, samples))
    return path


def write_figures(folder: Path, formats: tuple[str, ...] = ("png", "svg")) -> list[Path]:
    """Write the figures of an evaluation's folder into ``figures/``.

    Args:
        folder: As for :func:`write_report`; ``metrics.jsonl`` adds the training's curves.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Returns:
        The files written.

    Raises:
        MondegreenError: A file is missing or damaged, or a figure cannot be written.
    """
    results, pairs, samples = _load(folder)
    drawn = {
        "success_matrix": figures.success_matrix(results),
        "distributions": figures.distributions(pairs),
        "per_target": figures.per_target(results),
    }
    drawn |= _draw_clips(samples)
    metrics = load_metrics(folder / "metrics.jsonl")
    if metrics:
        drawn["training_curves"] = figures.training_curves(metrics)
    files: list[Path] = []
    for name, figure in drawn.items():
        files.extend(save_figure(figure, folder / "figures" / name, formats))
    return files


def _load(folder: Path) -> tuple[Results, list[Pair], list[Sample]]:
    results = load_results(folder / "results.json")
    path = folder / "pairs.csv"
    pairs = load_pairs(path)
    check_labels(pairs, results.labels, path)
    if len(pairs) != results.pairs:
        raise MondegreenError(
            f"{path}: holds {len(pairs)} pairs, but results.json counts {results.pairs}; the two "
            "files are not of one evaluation. Run it again."
        )
    return results, pairs, load_samples(folder, results.labels)


def _draw_clips(samples: Sequence[Sample]) -> dict[str, Figure]:
    """Draw the first pairs that can be heard, successes first."""
    drawn: dict[str, Figure] = {}
    for sample in sorted(samples, key=lambda sample: not sample.success):
        if sample.original and sample.adversarial and len(drawn) < CLIP_FIGURES:
            x, rate = read_audio(sample.original)
            x_adv, _ = read_audio(sample.adversarial)
            snr = number(sample.snr_db, 1, "dB")
            title = f"“{sample.source}” → “{sample.target}”, {snr}"
            name = f"clip_{len(drawn) + 1}"
            drawn[name] = figures.clip_figure(x.mean(axis=0), x_adv.mean(axis=0), rate, title=title)
    return drawn


def render(results: Results, pairs: Sequence[Pair], samples: Sequence[Sample]) -> str:
    """Return the page as HTML.

    Raises:
        MondegreenError: A sound is damaged.
    """
    environment = Environment(
        loader=PackageLoader("mondegreen.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "number": number, "size": size, "option": option}
    views = hear(samples)
    return environment.get_template("report.html.j2").render(
        **_assets(environment),
        results=results,
        paper=closest_setting(results.labels),
        comparison=comparison(results),
        caveat=caveat(results),
        machine=machine(results),
        successes=sum(pair.success for pair in pairs),
        featured=featured(views),
        matrix=matrix(results, pairs, views),
        heard=sum(view.sound is not None for view in views),
        kept=len(views),
        targets=target_rows(results),
        charts=charts(results, pairs),
        channels={"head": HEAD, "note": NOTE, "rows": channel_rows(results)},
        duration=duration(results.duration_seconds),
        citation=CITATION,
        doi=DOI,
    )


def _assets(environment: Environment) -> dict[str, Any]:
    """Return style, scripts and their hashes: the browser runs these scripts and no others."""
    names = {"style": "report.css", "script": "report.js", "head_script": "report_head.js"}
    loader = environment.loader
    assert loader is not None
    assets: dict[str, Any] = {
        name: Markup(loader.get_source(environment, file)[0]) for name, file in names.items()
    }
    hashes = (hashlib.sha256(assets[name].encode()).digest() for name in ("script", "head_script"))
    assets["script_sources"] = Markup(" ").join(
        Markup("'sha256-{}'").format(base64.b64encode(digest).decode()) for digest in hashes
    )
    return assets
