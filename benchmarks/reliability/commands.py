"""The long commands at their smallest size, and the clips that they work on."""

from __future__ import annotations

from multiprocessing.context import ForkServerContext
from pathlib import Path

from benchmarks.reliability.child import Job, work

LABELS = ("no", "up", "yes")
SPEAKERS = 30


def link_clips(source: Path, target: Path) -> None:
    """Make a small corpus of links to the first clips of three words, of other speakers each.

    Args:
        source: A folder in Speech Commands' layout.
        target: The folder to make.
    """
    for label in LABELS:
        (target / label).mkdir(parents=True)
        clips: dict[str, Path] = {}
        for path in sorted((source / label).iterdir()):
            clips.setdefault(path.name.partition("_nohash_")[0], path)
        for path in list(clips.values())[:SPEAKERS]:
            (target / label / path.name).symlink_to(path)


def prepare(folder: Path, data: Path, server: ForkServerContext) -> dict[str, tuple[str, ...]]:
    """Train what the other commands need; return every command by its name.

    Args:
        folder: Where to.
        data: A folder of labelled clips.
        server: Forks the processes.

    Raises:
        RuntimeError: A training fails.
    """
    where = ("--data", str(data), "--cache", str(folder / "cache"), "--limit", "8")
    commands = _commands(folder, where)
    for name in ("train classifier", "train generator"):
        process = server.Process(target=work, args=(Job(commands[name], str(folder)),))
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"{name}: {Job((), str(folder)).log.read_text()}")
        (folder / "run").rename(folder / name.split()[1])
    return commands


def _commands(folder: Path, where: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    smoke = ("--preset", "smoke", "--device", "cpu", "--out", "run")
    against = ("--classifier", str(folder / "classifier"))
    made = ("--generator", str(folder / "generator"), *against, *where)
    measured = (*made, "--device", "cpu", "--out", "run")
    few = ("--pairs", "6", "--batch-size", "2")
    rivals = ("--attacks", "generator", "pgd:steps=2", "genetic:iterations=3")
    return {
        "data info": ("data", "info", *where[:2], "--cache", "run"),
        "train classifier": (
            *("train", "classifier", *smoke, *where),
            *("--training.epochs", "3", "--training.batch-size", "16"),
        ),
        "train generator": (
            *("train", "generator", *smoke, *against, *where),
            *("--training.epochs", "2"),
        ),
        "train universal": ("train", "universal", *smoke, *against, *where),
        "evaluate": (
            *("evaluate", *measured, "--no-report", "--batch-size", "4"),
            *("--quality-pairs", "4", "--timing-repeats", "1"),
        ),
        "compare": (
            *("compare", *measured, *rivals, "--budgets", "snr:20", *few),
            *("--quality-pairs", "2", "--timing-rounds", "1"),
        ),
        "channels": (
            *("channels", *measured, "--attacks", "generator", "pgd:steps=2"),
            *("--budgets", "snr:20", "--channel", "lowpass:hz=4000", *few),
        ),
        "transfer": (
            *("transfer", "--classifiers", str(folder / "classifier")),
            *(str(folder / "classifier/checkpoints/latest"), *where, *few),
            *("--generators", str(folder / "generator"), "--attacks", "pgd:steps=2"),
            *("--device", "cpu", "--out", "run"),
        ),
        "defences": (
            *("defences", *measured, "--defence", "quantize:bits=7", "--budgets", "snr:20", *few),
            *("--attacks", "generator", "--knowing", "pgd:steps=2", "--detector", "residual"),
            *("--training-clips", "12"),
        ),
        "harden": (
            *("harden", *against, *where, "--device", "cpu", "--out", "run"),
            *("--epochs", "2", "--select-steps", "1"),
        ),
        "reproduce": (
            *("reproduce", "--preset", "smoke", "--rehearse", "--device", "cpu"),
            # Not below --out: what is in a cache is named after the folder of the recordings.
            *("--jobs", "1", "--out", "run", "--cache", str(folder / "cache")),
        ),
    }
