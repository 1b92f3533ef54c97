"""``report.html`` of an audit: the verdict first, then what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from markupsafe import Markup

from mondegreen.files import write_text
from mondegreen.report.audit.figures import draw_audit
from mondegreen.report.audit.results import AuditResults, load_audit
from mondegreen.report.audit.tables import attacks, labels, stages, weakest
from mondegreen.report.audit.verdict import judge
from mondegreen.report.comparison import machine_of
from mondegreen.report.inline import inline_svg
from mondegreen.report.pages import fit, render_page
from mondegreen.report.pairs import Sample, load_samples
from mondegreen.report.sounds import Sound, load_sound
from mondegreen.report.style import COLUMN, save_figure

FORMATS = ("svg", "png")
SOUND_BYTES = 3_000_000
EXAMPLES = 6
TITLES = {
    "success_over_snr": (
        "How often the model hears what the attacker wants",
        "Bands are 95 % intervals over speakers or recordings. Noise at 20 dB is plainly heard, at "
        "30 dB in quiet surroundings, at 40 dB hardly ever.",
    ),
    "robust_accuracy": (
        "How often it still hears rightly",
        "Under attacks that are content with any mistake.",
    ),
    "confusions": (
        "Which label becomes which",
        "By the attack and at the ratio named in the table of the labels.",
    ),
}


@dataclass(frozen=True)
class Picture:
    """A figure of the page."""

    title: str
    note: str
    wide: bool
    svg: Markup


@dataclass(frozen=True)
class Example:
    """A pair to listen to."""

    index: int
    sample: Sample
    sound: Sound


def write_audit(folder: Path) -> Path:
    """Write ``figures/`` and ``report.html`` into an audit's folder.

    Args:
        folder: Holds ``audit.json``, and ``evaluation/`` with the sounds, if there are any.

    Returns:
        The page.

    Raises:
        MondegreenError: The file is missing or damaged, a sound is damaged, or a file cannot be
            written.
    """
    found = load_audit(folder / "audit.json")
    pictures = []
    for name, figure in draw_audit(found).items():
        save_figure(figure, folder / "figures" / name, FORMATS)
        title, note = TITLES[name]
        wide = figure.get_figwidth() > COLUMN
        pictures.append(Picture(title, note, wide, inline_svg(figure, name, title)))
    page = folder / "report.html"
    write_text(page, fit(partial(render, found, folder, pictures), SOUND_BYTES))
    return page


def render(found: AuditResults, folder: Path, pictures: list[Picture], sound_bytes: int) -> str:
    """Return the page as HTML, with so many bytes of sounds at most.

    Raises:
        MondegreenError: A sound is damaged.
    """
    there = (folder / "evaluation" / "report.html").is_file()
    return render_page(
        "audit.html.j2",
        ("player.js", "one_sound.js"),
        styles=("audit.css",),
        found=found,
        verdict=judge(found),
        pictures=pictures,
        tables=[one for one in (weakest(found), labels(found)) if one is not None],
        attacks=attacks(found),
        stages=stages(found),
        examples=examples(folder / "evaluation", found.classifier.labels, sound_bytes),
        evaluation="evaluation/report.html" if there else None,
        machine=machine_of(found.environment),
    )


def examples(folder: Path, known: tuple[str, ...], sound_bytes: int) -> list[Example]:
    """Return some pairs with their sounds, successes first, as far as they may weigh.

    Raises:
        MondegreenError: A sound is damaged.
    """
    found: list[Example] = []
    weight = 0
    for sample in sorted(load_samples(folder, known), key=lambda one: not one.success):
        if len(found) == EXAMPLES or sample.source in {one.sample.source for one in found}:
            continue
        if sample.target in {one.sample.target for one in found}:
            continue
        sound = load_sound(sample)
        if sound is None or weight + sound.weight > sound_bytes:
            continue
        weight += sound.weight
        found.append(Example(len(found), sample, sound))
    return found
