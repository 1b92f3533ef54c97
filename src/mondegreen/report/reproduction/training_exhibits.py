"""Tables and figures of trainings and data: sections V-D and V-E, footnote 3, the leak."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mondegreen.report.reproduction import summaries, tables
from mondegreen.report.reproduction.ablation_figures import (
    perturbations,
    pictured,
    training_by_losses,
)
from mondegreen.report.reproduction.exhibit import Drawing, Exhibit, reasons
from mondegreen.report.reproduction.figures import by_target
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting
from mondegreen.report.reproduction.trainings import Ablation
from mondegreen.report.tables import Table

PLACES = ("sparse-and-uniform", "prefers-places")
TRAINED = ("joint-is-best", "alone-collapses", "joint-is-stable")
NUMBERS = (*TRAINED, *PLACES, "weight-buys-quality", "discriminator", "warm-up")
Content = Table | Drawing | Missing


def ablation(found: Reproduction) -> Iterator[Exhibit]:
    """Return the paper's Figs. 8 and 9, and the ablation in numbers."""
    one = found.ablation
    shown: tuple[Content, Content, Content]
    if isinstance(one, Missing) or not one.trainings:
        missing = one if isinstance(one, Missing) else Missing("it holds no training")
        shown = (missing, missing, missing)
    else:
        summary = f"Training success and generator loss over steps, {_pair(one)}."
        curves = Drawing(partial(training_by_losses, one), summary)
        shown = (_perturbations(found, one), curves, summaries.ablation(one))
    yield Exhibit(
        "perturbations",
        "ablation",
        "Fig. 8",
        "Perturbations under three choices of losses",
        "Each perturbation has a scale of its own. Its title has the share of energy in the "
        "loudest tenth of its samples.",
        PLACES,
        shown[0],
    )
    yield Exhibit(
        "training-by-losses",
        "ablation",
        "Fig. 9",
        "Training under each choice of losses",
        "Thick lines: means over the seeds; thin lines: single seeds; bands: their range. "
        "Diamonds: the best success that the paper reports.",
        TRAINED,
        shown[1],
    )
    title, place = "The losses in numbers", "numbers of section V-D"
    yield Exhibit("ablation", "ablation", place, title, "", NUMBERS, shown[2])


def _pair(one: Ablation) -> str:
    return f"“{one.source}” → “{one.target}”"


def _perturbations(found: Reproduction, one: Ablation) -> Drawing | Missing:
    files = pictured(one, found.folder)
    if not files:
        return Missing("its sounds are not at hand")
    draw = partial(perturbations, one, files)
    summary = f"A clip and its perturbations {_pair(one)} by hinge, L2 and both."
    return Drawing(draw, summary, from_sounds=True)


def time(found: Reproduction) -> Iterator[Exhibit]:
    """Return the running time."""
    table = tables.running_time(found)
    content = table if table.rows else Missing("nothing was timed")
    claims = ("milliseconds", "faster")
    yield Exhibit("running-time", "time", "section V-E", table.title, "", claims, content)


def unified(found: Reproduction) -> Iterator[Exhibit]:
    """Return one network a target beside one for all."""
    table = summaries.kinds(found)
    content = table if table.rows else Missing("no setting was run")
    yield Exhibit("kinds", "unified", "footnote 3", table.title, "", ("unified",), content)
    for setting in found.settings:
        yield from _by_target(setting)


def _by_target(setting: Setting) -> Iterator[Exhibit]:
    names = ", ".join(KINDS[kind] for kind in setting.measured())
    title = f"Success and SNR by target, {setting.data}"
    drawing = Drawing(partial(by_target, setting), f"{title}: {names}.")
    caption = "Hollow diamonds: what the paper reports, for one network a target."
    table = summaries.success_by_target(setting)
    missing = None if setting.measured() else Missing(reasons(setting))
    for key, shown_title, text, content in (
        (f"by-target-{setting.key}", title, caption if setting.reported_by_target else "", drawing),
        (f"success-by-target-{setting.key}", table.title, "", table),
    ):
        shown = missing or content
        yield Exhibit(key, "unified", "footnote 3", shown_title, text, ("unified",), shown)


def leak(found: Reproduction) -> Iterator[Exhibit]:
    """Return what dividing by chunk does."""
    table = summaries.leaks(found)
    content = table if table.rows else Missing("no setting of this run divides recordings")
    yield Exhibit("leak", "leak", "section V-A", table.title, "", ("leak",), content)
