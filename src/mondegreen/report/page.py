"""One HTML file that tells what an evaluation found: it opens anywhere, offline, with sounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from mondegreen.audio import read_audio
from mondegreen.errors import MondegreenError
from mondegreen.files import write_text
from mondegreen.report import figures
from mondegreen.report.comparison import caveat, comparison, machine
from mondegreen.report.comparison_figures import figure_names, success_over_snr
from mondegreen.report.comparison_results import load_comparison
from mondegreen.report.extremes import extremes
from mondegreen.report.formatting import duration, number
from mondegreen.report.inline import inline_svg
from mondegreen.report.pages import fit, render_page
from mondegreen.report.pairs import Pair, Sample, check_labels, load_pairs, load_samples
from mondegreen.report.paper import CITATION, DOI, closest_setting
from mondegreen.report.results import Results, load_metrics, load_results
from mondegreen.report.snr_bins import bins_svg, success_by_snr
from mondegreen.report.style import save_figure
from mondegreen.report.through_channels import HEAD, NOTE, channel_rows
from mondegreen.report.views import (
    SOUND_BYTES,
    PairView,
    Shown,
    charts,
    featured,
    hear,
    matrix,
    target_rows,
)

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
    curve = _curve(folder, results)
    path = folder / "report.html"
    page = fit(lambda limit: render(results, pairs, samples, curve, limit), SOUND_BYTES)
    write_text(path, page)
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


def render(
    results: Results,
    pairs: Sequence[Pair],
    samples: Sequence[Sample],
    curve: Markup | None = None,
    sound_bytes: int = SOUND_BYTES,
) -> str:
    """Return the page as HTML.

    Args:
        results: Of the evaluation.
        pairs: All of them.
        samples: Those that were kept as sounds.
        curve: Success over the signal-to-noise ratio, where it was measured.
        sound_bytes: What the sounds may weigh.

    Raises:
        MondegreenError: A sound is damaged.
    """
    views = hear(samples, sound_bytes)
    return render_page(
        "report.html.j2",
        ("player.js", "matrix.js", "abx.js"),
        **_pairs_shown(results, pairs, views),
        results=results,
        paper=closest_setting(results.labels),
        comparison=comparison(results),
        caveat=caveat(results),
        machine=machine(results),
        targets=target_rows(results),
        channels={"head": HEAD, "note": NOTE, "rows": channel_rows(results)},
        curve=curve,
        duration=duration(results.duration_seconds),
        citation=CITATION,
        doi=DOI,
    )


def _pairs_shown(
    results: Results, pairs: Sequence[Pair], views: Sequence[PairView]
) -> dict[str, Any]:
    """Return what the page shows of single pairs."""
    shown = Shown.of(results.labels, pairs, views)
    sources, targets = set(shown.sources), set(shown.targets)
    views = [v for v in views if v.sample.source in sources and v.sample.target in targets]
    bins = success_by_snr(pairs)
    return {
        "successes": sum(pair.success for pair in pairs),
        "featured": featured(views),
        "matrix": matrix(results, shown, pairs, views),
        "shown": shown,
        "heard": sum(view.sound is not None for view in views),
        "dropped": sum(view.dropped for view in views),
        "kept": len(views),
        "extremes": extremes(views),
        "charts": charts(results, pairs),
        "bins": bins_svg(bins) if bins else None,
    }


def _curve(folder: Path, results: Results) -> Markup | None:
    """Return the curve of a comparison in the folder, if it attacked the same classifier."""
    for path in (folder / "comparison.json", folder / "comparison" / "comparison.json"):
        if path.is_file():
            found = load_comparison(path)
            same = found.classifier.fingerprint == results.classifier.fingerprint
            if same and "success_over_snr" in figure_names(found):
                label = "Success over the signal-to-noise ratio kept, one line an attack"
                return inline_svg(success_over_snr(found), "curve", label)
    return None
