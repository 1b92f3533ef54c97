"""``mondegreen goals``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.goals_file import load_tagger, save_goals
from mondegreen.classifiers.tag_goals import TagGoals, one_a_tag
from mondegreen.cli.clips import data_of, trained_on
from mondegreen.cli.options import Device, choose_device, parse, say
from mondegreen.configs import to_dict
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.goals import Goal, check_goals, parse_goal
from mondegreen.data.options import DataOptions, open_tags
from mondegreen.data.tags import TaggedClips
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.tagging import TaggerReport, measure_tagger, refuse_met, tune
from mondegreen.files import write_json
from mondegreen.runs import Run


@dataclass(frozen=True)
class Goals:
    """Options of ``goals``."""

    data: Annotated[DataOptions, tyro.conf.arg(name="")]
    """Clips to measure the tagger on: a folder with tags.csv, or <folder>/<tag>/<clip>. Without
    --data, those that the tagger was adopted with; where there are none, nothing is measured."""
    classifier: Path
    """Run folder of the tagger; a model made elsewhere is adopted first."""
    goal: Annotated[tuple[str, ...], tyro.conf.UseAppendAction]
    """What attacks are to reach, once for each goal: --goal +rain, --goal -dog_bark,
    --goal +rain-dog_bark, with a name of its own --goal hush=-dog_bark-rooster."""
    out: Path
    """Folder for goals.json and goals-report.json. Other commands take it as a classifier."""
    threshold: float = 0.5
    """The probability above which a tag is on."""
    thresholds: tuple[str, ...] = ()
    """Other ones for some tags, such as rain=0.4 dog_bark=0.6."""
    tune: bool = False
    """Choose each tag's threshold by the highest F1 on the validation clips; those of --thresholds
    stay as they are."""
    on: Literal["train", "validation", "test"] = "test"
    """Which split to measure on."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    json: bool = False
    """Print goals-report.json instead of tables."""


def run(words: Sequence[str]) -> None:
    """Parse the words, write the goals and measure the tagger."""
    description = "Name what attacks on a tagger are to reach; what comes out is a classifier."
    execute(parse(Goals, _joined(words), "goals", description))


def _joined(words: Sequence[str]) -> list[str]:
    """Write ``--goal -dog`` as ``--goal=-dog``, for a value that begins with ``-`` looks like none.

    Example:
        >>> _joined(["--goal", "-dog", "--goal", "+rain", "--json"])
        ['--goal=-dog', '--goal', '+rain', '--json']
    """
    found: list[str] = []
    for word in words:
        if found[-1:] == ["--goal"] and word.startswith("-") and not word.startswith("--"):
            word = f"{found.pop()}={word}"
        found.append(word)
    return found


def execute(options: Goals) -> None:
    """Write ``goals.json``; with clips, ``goals-report.json`` as well."""
    goals = tuple(parse_goal(text) for text in options.goal)
    check_goals(goals)
    data = _data(options, goals)
    if options.tune and data.data is None:
        raise MondegreenError("--tune needs clips: name a folder by --data.")
    tagger = load_tagger(options.classifier).to(choose_device(options.device))
    given = _named(options.thresholds)
    thresholds = one_a_tag(tagger.labels, dict.fromkeys(tagger.labels, options.threshold) | given)
    aims = TagGoals(tagger, goals, thresholds).freeze()
    report = None
    if data.data is not None:
        tagged, splits = open_tags(data, goals, tagger.sample_rate, tagger.clip_samples)
        _tell_unknown(tagger, tagged)
        aims, report = _measured(options, aims, given, tagged, splits)
        refuse_met(report)
    folder = Run(options.out, replace(options, data=data)).folder
    save_goals(folder, options.classifier, aims)
    if report is not None:
        write_json(folder / "goals-report.json", {"format": 1, "on": options.on, **to_dict(report)})
    if options.json:
        print(json.dumps(None if report is None else to_dict(report), indent=2))
    elif report is not None:
        _show(report)
    say(f"{aims.name} with {', '.join(aims.labels[1:])}: give it as a classifier by {options.out}.")


def _data(options: Goals, goals: tuple[Goal, ...]) -> DataOptions:
    """Return the data options that later commands take over: with what named goals want."""
    earlier = trained_on(options.classifier)
    known = options.data.data is not None or (earlier is not None and earlier.data is not None)
    data = data_of(options.classifier, options.data) if known else options.data
    return replace(data, labels=(), goals=tuple(goal.text for goal in goals if goal.name))


def _named(texts: Sequence[str]) -> dict[str, float]:
    """Read ``tag=0.4``."""
    found: dict[str, float] = {}
    for text in texts:
        tag, _, number = text.rpartition("=")
        try:
            found[tag] = float(number)
        except ValueError:
            tag = ""
        if not tag:
            raise MondegreenError(f"--thresholds {text}: write tag=number, such as rain=0.4.")
    return found


def _measured(
    options: Goals,
    aims: TagGoals,
    given: dict[str, float],
    tagged: TaggedClips,
    splits: dict[str, ClipDataset],
) -> tuple[TagGoals, TaggerReport]:
    """Return the goals, with thresholds tuned where that is wished, and what was measured."""
    if options.tune:
        tags = aims.tagger.labels
        best = dict(zip(tags, tune(aims.tagger, splits["validation"], tagged), strict=True))
        aims = TagGoals(aims.tagger, aims.goals, one_a_tag(tags, best | given)).freeze()
    return aims, measure_tagger(aims, splits[options.on], tagged)


def _tell_unknown(tagger: Classifier, tagged: TaggedClips) -> None:
    """Say which tags of the clips the tagger has no answer for: a slip of the pen, or more tags."""
    strange = sorted(set(tagged.known) - set(tagger.labels))
    if strange:
        say(f"note: {tagger.name} does not know the tags {', '.join(strange)} of {tagged.root}.")


def _show(report: TaggerReport) -> None:
    console = Console(highlight=False)
    tags = Table("tag", title=f"the tagger on {report.clips} untouched clips")
    for column in ("clips", "threshold", "right", "F1", "average precision"):
        tags.add_column(column, justify="right")
    for tag in report.tags:
        shares = (_percent(tag.accuracy), _percent(tag.f1), _percent(tag.average_precision))
        tags.add_row(Text(tag.tag), str(tag.clips), f"{tag.threshold:.3f}", *shares)
    console.print(tags)
    console.print(f"mean average precision: {_percent(report.mean_average_precision)}")
    goals = Table("goal", title="clips that meet a goal before any attack")
    for column in ("truly", "as it is heard"):
        goals.add_column(column, justify="right")
    for goal in report.goals:
        goals.add_row(Text(goal.goal), _percent(goal.truly_met), _percent(goal.heard_met))
    console.print(goals)
    if report.several:
        console.print(
            f"{_percent(report.several)} truly meet several goals; attacks leave these clips out."
        )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
