"""``mondegreen reproduce``: the paper's experimental section, from data to figures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mondegreen.cli.options import Device, parse, say
from mondegreen.data.splits import SplitKind
from mondegreen.errors import MondegreenError
from mondegreen.report.reproduction.page import write_reproduction
from mondegreen.report.reproduction.results import load_reproduction
from mondegreen.report.reproduction.terminal import print_reproduction
from mondegreen.reproduction.examples import write_examples
from mondegreen.reproduction.gather import gather
from mondegreen.reproduction.plan import stages
from mondegreen.reproduction.scale import Scale, ScaleName, Words, rehearsal, scale
from mondegreen.reproduction.setting import Setting, settings
from mondegreen.runs import Run
from mondegreen.stages.runner import run_stages
from mondegreen.stages.stage import DONE, FAILED, LEFT_OUT, Outcome, Records, Stage

MOST_JOBS = 4


@dataclass(frozen=True)
class Corpora:
    """Which recordings the experiments are made with."""

    speech: Path | None = None
    """Folder in Speech Commands' layout; by default a corpus of synthetic voices is made."""
    speech_split: SplitKind = "speaker"
    """How speech is divided; random is what the paper does, and lets speakers into every part."""
    speech_extra: tuple[Path, ...] = ()
    """Folders of further words, without a label."""
    speech_noise: Path | None = None
    """Folder of long noise recordings; by default <speech>/_background_noise_."""
    sounds: Path | None = None
    """Folder of ESC-10; without it, this setting is left out."""
    sounds_split: SplitKind = "fold-5"
    """How sounds are divided: the fold that is tested on."""
    music: Path | None = None
    """Folder of GTZAN; by default a corpus of synthetic music is made."""
    music_split: SplitKind = "speaker"
    """How music is divided: speaker is by track."""
    music_lists: Path | None = None
    """Folder of fault-filtered lists for GTZAN; the split is then that of the lists."""


@dataclass(frozen=True)
class Reproduce:
    """Options of ``reproduce``."""

    corpora: Annotated[Corpora, tyro.conf.arg(name="")] = field(default_factory=Corpora)
    out: Path = Path("runs/reproduction")
    """Folder for all stages, reproduction.json, tables, figures and report.html; the same command
    continues there."""
    preset: ScaleName = "cpu"
    """smoke takes minutes and shows that everything runs; cpu takes an hour or two on two
    cores, with narrow networks; paper is the paper's own setting and needs a GPU."""
    cache: Path | None = None
    """Where decoded clips are kept; by default <out>/cache."""
    jobs: int = 0
    """Stages at once; they share the cores. 0: one a core, at most 4."""
    device: Device = "auto"
    """auto, cpu or cuda."""
    rehearse: bool = False
    """Run only a few steps of every stage, with the preset's networks at their full size, to see
    that all of it works; the results are then worthless."""
    share: bool = False
    """Work together with other machines that run the same command on the same --out, on a disk that
    all see: each runs stages that nobody else is at. Afterwards the same command without --share
    runs what is missing and writes the report."""
    plan: bool = False
    """Print what is done and what is left, and stop."""


@dataclass(frozen=True)
class Rules:
    """What cannot change in a reproduction's folder."""

    corpora: Corpora
    preset: ScaleName
    rehearse: bool
    device: Device = "auto"
    cache: Path | None = None
    out: Path = Path()
    """As it was typed, for it stands in the commands of all stages."""


def run(words: Sequence[str]) -> None:
    """Parse the words and reproduce."""
    description = (
        "The paper's experiments, from data to figures: train classifiers, the paper's generators "
        "and this project's, the ablation and the rival attacks; write one report with what the "
        "paper reports beside what was measured. Finished stages are not run again."
    )
    execute(parse(Reproduce, words, "reproduce", description, Reproduce()))


def execute(options: Reproduce) -> None:
    """Run every stage that is not finished, and write the report.

    Raises:
        MondegreenError: A stage failed; the report is written all the same.
    """
    if options.jobs < 0:
        raise MondegreenError(f"--jobs is {options.jobs}; choose 1 or more, or 0 for one a core.")
    size = _size(options)
    out = options.out
    found = settings(out, size, **_data(options.corpora))
    every = stages(out, size, found, options.cache or out / "cache", device=options.device)
    if options.plan:
        _print_plan(every, {stage.name: Records(out).read(stage) for stage in every})
        return
    rules = Rules(
        options.corpora, options.preset, options.rehearse, options.device, options.cache, out
    )
    jobs = options.jobs or _jobs()
    run = Run(out, rules, shared=options.share)
    outcomes = run_stages(every, run.folder, jobs=jobs, tell=say, share=options.share)
    if options.share:
        done = sum(outcome.state == DONE for outcome in outcomes.values())
        say(
            f"{done} of {len(every)} stages are done. The same command without --share tries what "
            "is not, and writes the report."
        )
        return
    _finish(options, found, every, outcomes)


def _size(options: Reproduce) -> Scale:
    size = scale(options.preset)
    return rehearsal(size) if options.rehearse else size


def _jobs() -> int:
    return max(1, min(MOST_JOBS, os.cpu_count() or 1))


def _refuse_unused(corpora: Corpora) -> None:
    """Refuse options of recordings that are not named."""
    blank = Corpora()
    for one in fields(Corpora):
        name = one.name.partition("_")[0]
        given = getattr(corpora, one.name) != getattr(blank, one.name)
        if given and getattr(corpora, name) is None:
            option = one.name.replace("_", "-")
            raise MondegreenError(f"--{option} is given without --{name}; name the folder, too.")


def _data(corpora: Corpora) -> dict[Literal["speech", "sounds", "music"], Words]:
    """Return the data options of each setting; none where no folder was given."""
    _refuse_unused(corpora)
    speech: Words = ()
    if corpora.speech is not None:
        speech = ("--data", str(corpora.speech), "--split", corpora.speech_split)
        if corpora.speech_extra:
            speech = (*speech, "--extra", *map(str, corpora.speech_extra))
        if corpora.speech_noise is not None:
            speech = (*speech, "--noise", str(corpora.speech_noise))
    sounds: Words = ()
    if corpora.sounds is not None:
        sounds = ("--data", str(corpora.sounds), "--split", corpora.sounds_split)
    music: Words = ()
    if corpora.music is not None:
        music = ("--data", str(corpora.music), "--split", corpora.music_split)
        if corpora.music_lists is not None:
            music = (*music[:2], "--split", "lists", "--lists", str(corpora.music_lists))
    for name in ("speech", "sounds", "music"):
        folder = getattr(corpora, name)
        if folder is not None and not folder.is_dir():
            raise MondegreenError(f"--{name} {folder} is not a folder; name the recordings'.")
    return {"speech": speech, "sounds": sounds, "music": music}


def _finish(
    options: Reproduce,
    found: Sequence[Setting],
    every: Sequence[Stage],
    outcomes: Mapping[str, Outcome],
) -> None:
    size, out = _size(options), options.out
    write_examples(out, size, found[0])
    gather(out, size, found, every, outcomes)
    page = write_reproduction(out)
    print_reproduction(load_reproduction(out / "reproduction.json"))
    say(f"Everything measured: {out / 'reproduction.json'}\nReport: {page}")
    failed = [name for name, outcome in outcomes.items() if outcome.state == FAILED]
    left_out = sum(outcome.state == LEFT_OUT for outcome in outcomes.values())
    if failed:
        raise MondegreenError(
            f"{len(failed)} of {len(every)} stages failed and {left_out} were left out. "
            f"{failed[0]}: {outcomes[failed[0]].reason}. The same command tries them again."
        )


def _print_plan(every: Sequence[Stage], outcomes: Mapping[str, Outcome]) -> None:
    width = max(len(stage.name) for stage in every)
    for stage in every:
        outcome = outcomes[stage.name]
        took = f"{outcome.seconds:7.0f} s" if outcome.seconds is not None else " " * 9
        say(f"{stage.name:<{width}}  {outcome.state:<8} {took}  {stage.title}")
