"""Every table and figure of a reproduction in the order of the paper, with what it bears on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from mondegreen.report.comparison_figures import (
    figure_names,
    success_over_pesq,
    success_over_snr,
)
from mondegreen.report.formatting import percent
from mondegreen.report.paper import MUSIC, SPEECH
from mondegreen.report.reproduction import summaries as summaries
from mondegreen.report.reproduction import tables as tables
from mondegreen.report.reproduction.ablation_figures import (
    perturbations,
    pictured,
    training_by_losses,
)
from mondegreen.report.reproduction.clips import attacked_clips, rows_of
from mondegreen.report.reproduction.figures import by_target, error_rates, success_matrices
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting
from mondegreen.report.tables import Table

SECTIONS = {
    "success": "Success (section V-B)",
    "rivals": "Beside other attacks (section V-B)",
    "quality": "Quality (section V-C)",
    "ablation": "Ablation of the losses (section V-D)",
    "time": "Running time (section V-E)",
    "unified": "One network for all targets (footnote 3)",
    "leak": "What the division of the data does (section V-A)",
}


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn when it is asked for.

    Args:
        draw: Draws it.
        summary: One sentence for those who do not see it.
        from_sounds: Whether it needs the sounds of the run.
    """

    draw: Callable[[], Figure]
    summary: str
    from_sounds: bool = False


@dataclass(frozen=True)
class Exhibit:
    """A table or a figure, or why there is none.

    Args:
        key: Name of its files.
        section: Of :data:`SECTIONS`.
        place: Which of the paper's it stands for, such as ``Fig. 4``; or ``beyond the paper``.
        title: What it shows.
        caption: What has to be known to read it.
        claims: Keys of the claims that it bears on.
    """

    key: str
    section: str
    place: str
    title: str
    caption: str
    claims: tuple[str, ...]
    content: Table | Drawing | Missing


def exhibits(found: Reproduction) -> list[Exhibit]:
    """Return all tables and figures but that of the stages, in the order of :data:`SECTIONS`."""
    parts = [*_success(found), *_rivals(found), *_quality(found), *_ablation(found)]
    parts += [*_time(found), *_unified(found), *_leak(found)]
    order = list(SECTIONS)
    return sorted(parts, key=lambda one: order.index(one.section))


def _of(setting: Setting, *keys: str) -> tuple[str, ...]:
    """Return the claims of the paper's setting that a setting stands beside."""
    names = {id(SPEECH): "speech", id(MUSIC): "music"}
    name = names.get(id(setting.reported))
    return tuple(f"{key}-{name}" for key in keys) if name else ()


def _success(found: Reproduction) -> Iterator[Exhibit]:
    for setting in found.settings:
        measured = setting.measured()
        place = {id(SPEECH): "Fig. 4", id(MUSIC): "Fig. 5"}.get(id(setting.reported))
        claims = _of(setting, "success")
        if setting.reported is SPEECH:
            claims += ("above-90-speech", "no-to-yes", "favoured-targets", "favoured-sources")
        for kinds, ending in ((("single", "unified"), ""), (("spectral",), "-spectral")):
            shown = [kind for kind in kinds if kind in measured]
            rates = ", ".join(
                f"{KINDS[kind]} {percent(measured[kind].success_rate, 1)}" for kind in shown
            )
            title = f"Success by source and target on {setting.data}"
            drawing = Drawing(partial(success_matrices, setting, kinds), f"{title}: {rates}.")
            yield Exhibit(
                f"success-matrix-{setting.key}{ending}",
                "success",
                (place or "as Figs. 4 and 5") if not ending else "beyond the paper",
                title,
                "Rows: what was said. Columns: what it should be heard as. The diagonal is blank, "
                "where the paper prints zero.",
                claims if not ending else (),
                drawing if shown else Missing(_reasons(setting, kinds)),
            )
    shown = [one for one in found.settings if one.measured()]
    yield Exhibit(
        "error-rates",
        "success",
        "Fig. 6",
        "Error rates over the cells off the diagonal",
        "Boxes: quartiles and median; whiskers: 1.5 quartile ranges; circles: outliers. Grey: "
        "range, mean and standard deviation as the paper reports them; its boxes are not given.",
        ("error-range-speech", "error-range-music", "outliers-speech", "outliers-music"),
        Drawing(partial(error_rates, found), _error_summary(shown))
        if shown
        else Missing("no generator was measured"),
    )


def _error_summary(settings: list[Setting]) -> str:
    parts = [
        f"{setting.key}, {KINDS[kind]}: {percent(min(scores.errors), 1)} to "
        f"{percent(max(scores.errors), 1)}"
        for setting in settings
        for kind, scores in setting.measured().items()
        if scores.errors
    ]
    return f"Box plots of error rates. {'; '.join(parts)}."


def _reasons(setting: Setting, kinds: tuple[str, ...]) -> str:
    found = [
        f"{KINDS[kind]}: {part.reason}"
        for kind in kinds
        if isinstance(part := setting.generators[kind], Missing)
    ]
    return "; ".join(found)


def _rivals(found: Reproduction) -> Iterator[Exhibit]:
    for setting in found.settings:
        table = tables.table_1(setting)
        claims = _of(setting, "success", "rivals", "quality")
        if setting.reported is SPEECH:
            claims += ("rivals-snr", "faster", "milliseconds")
        place = "Table 1" if setting.reported else "as Table 1"
        yield Exhibit(f"table-1-{setting.key}", "rivals", place, table.title, "", claims, table)


def _quality(found: Reproduction) -> Iterator[Exhibit]:
    for setting in found.settings:
        table = tables.table_2(setting)
        place = "Table 2" if setting.reported else "as Table 2"
        claims = _of(setting, "quality")
        content = table if setting.measured() else Missing(_reasons(setting, tuple(KINDS)))
        yield Exhibit(f"table-2-{setting.key}", "quality", place, table.title, "", claims, content)
        yield from _clips(found, setting)
        yield from _curves(setting)


def _clips(found: Reproduction, setting: Setting) -> Iterator[Exhibit]:
    named = [one for one in found.examples if one.setting == setting.key]
    rows = rows_of(found, setting.key)
    content: Drawing | Missing = Missing("no clip was kept as sound")
    if rows:
        one = rows[0][0]
        attacks = ", ".join(row[0].title for row in rows)
        summary = f"“{one.source}” → “{one.target}” by {attacks}: waveforms and spectrograms."
        content = Drawing(partial(attacked_clips, rows), summary, from_sounds=True)
    elif named:
        content = Missing("its sounds are not at hand")
    yield Exhibit(
        f"clips-{setting.key}",
        "quality",
        "Fig. 7",
        f"A clip and its adversarial examples, {setting.data}",
        "One row an attack: (a), (b) waveforms; (c), (d) spectrograms, 80 dB from black to white; "
        "(e) the residual; (f) ten times the residual. Amplitudes: full scale is 1.",
        ("rivals-snr", "prefers-places") if setting.reported is SPEECH else (),
        content,
    )


def _curves(setting: Setting) -> Iterator[Exhibit]:
    drawings = {
        "success_over_snr": (success_over_snr, "Success over the signal-to-noise ratio kept"),
        "success_over_pesq": (success_over_pesq, "Success over mean narrow-band PESQ"),
    }
    curves = setting.curves
    for name, (draw, shows) in drawings.items():
        content: Drawing | Missing
        if isinstance(curves, Missing):
            content = Missing(curves.reason)
        elif name not in figure_names(curves):
            content = Missing("the comparison has no numbers for it")
        else:
            attacks = ", ".join(curves.labels)
            content = Drawing(partial(draw, curves), f"{shows} of {attacks}.")
        yield Exhibit(
            f"{name.replace('_', '-')}-{setting.key}",
            "quality",
            "beyond the paper",
            f"{shows}, {setting.data}",
            "The same pairs for every attack; bands, where there are, are the 95 % intervals.",
            (),
            content,
        )


def _ablation(found: Reproduction) -> Iterator[Exhibit]:
    ablation = found.ablation
    claims = ("sparse-and-uniform", "prefers-places")
    trained = ("joint-is-best", "alone-collapses", "joint-is-stable")
    shown: tuple[Drawing | Missing, Drawing | Missing, Table | Missing]
    if isinstance(ablation, Missing) or not ablation.trainings:
        reason = ablation.reason if isinstance(ablation, Missing) else "it holds no training"
        shown = (Missing(reason),) * 3
    else:
        pair = f"“{ablation.source}” → “{ablation.target}”"
        heard: Drawing | Missing = Missing("its sounds are not at hand")
        if pictured(ablation, found.folder):
            draw = partial(perturbations, ablation, found.folder)
            summary = f"A clip of {pair} and its perturbations by hinge, L2 and both."
            heard = Drawing(draw, summary, from_sounds=True)
        curves = Drawing(
            partial(training_by_losses, ablation),
            f"Training success and generator loss over steps, {pair}.",
        )
        shown = (heard, curves, summaries.ablation(ablation))
    texts = (
        ("perturbations", "Fig. 8", "Perturbations under three choices of losses", claims),
        ("training-by-losses", "Fig. 9", "Training under each choice of losses", trained),
        (
            "ablation",
            "numbers of section V-D",
            "The losses in numbers",
            (*trained, "sparse-and-uniform", "weight-buys-quality", "discriminator", "warm-up"),
        ),
    )
    captions = (
        "Each perturbation has a scale of its own. Its title has the share of energy in the "
        "loudest tenth of its samples.",
        "Thick lines: means over the seeds; thin lines: single seeds; bands: their range. "
        "Diamonds: the best success that the paper reports.",
        "",
    )
    for (key, place, title, keys), caption, content in zip(texts, captions, shown, strict=True):
        yield Exhibit(key, "ablation", place, title, caption, keys, content)


def _time(found: Reproduction) -> Iterator[Exhibit]:
    table = tables.running_time(found)
    content = table if table.rows else Missing("nothing was timed")
    claims = ("milliseconds", "faster")
    yield Exhibit("running-time", "time", "section V-E", table.title, "", claims, content)


def _unified(found: Reproduction) -> Iterator[Exhibit]:
    table = summaries.kinds(found)
    place = "footnote 3"
    yield Exhibit("kinds", "unified", place, table.title, "", ("unified",), table)
    for setting in found.settings:
        reasons = _reasons(setting, tuple(KINDS))
        measured = bool(setting.measured())
        names = ", ".join(KINDS[kind] for kind in setting.measured())
        title = f"Success and SNR by target, {setting.data}"
        drawing = Drawing(partial(by_target, setting), f"{title}: {names}.")
        caption = "Hollow diamonds: what the paper reports, for one network a target."
        content = drawing if measured else Missing(reasons)
        key = f"by-target-{setting.key}"
        yield Exhibit(key, "unified", place, title, caption, ("unified",), content)
        by_label = summaries.success_by_target(setting)
        shown = by_label if measured else Missing(reasons)
        key = f"success-by-target-{setting.key}"
        yield Exhibit(key, "unified", place, by_label.title, "", ("unified",), shown)


def _leak(found: Reproduction) -> Iterator[Exhibit]:
    table = summaries.leaks(found)
    content = table if table.rows else Missing("no setting of this run divides recordings")
    yield Exhibit("leak", "leak", "section V-A", table.title, "", ("leak",), content)
