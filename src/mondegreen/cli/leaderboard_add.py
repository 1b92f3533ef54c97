"""``mondegreen leaderboard add``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mondegreen.allocator import keep_memory
from mondegreen.cli.options import parse, say
from mondegreen.data.speech_commands import TEN_WORDS
from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.leaderboard.adding import (
    new_entry,
    parse_claim,
    parse_defence_kind,
    parse_reference,
    strongest_attacker,
)
from mondegreen.leaderboard.smoke import measure_smoke, voices
from mondegreen.leaderboard.subjects import load_subject
from mondegreen.leaderboard.writing import smoke_content
from mondegreen.report.leaderboard.entry import DETECTOR, read_entry
from mondegreen.report.leaderboard.references import read_measured
from mondegreen.report.leaderboard.schema import Sheet


@dataclass(frozen=True)
class LeaderboardAdd:
    """Options of ``leaderboard add``."""

    classifier: str
    """Run folder of the classifier behind the defence, or zoo:<name>."""
    result: tuple[str, ...]
    """Result files with its measurements, below --root: hardening.json, defences.json,
    channels.json, comparison.json, audit.json, results.json; after a colon which of a file's rows,
    such as results/mine/defences.json:quantize:bits=7."""
    against: tuple[str, ...]
    """Against whom it is said to hold: untargeted@snr:30, targeted@snr:25; with a figure that you
    report, the share of pairs that withstand: untargeted@snr:30=0.66."""
    out: Path
    """The entry's file, such as leaderboard/entries/my-spotter.json."""
    title: str
    """What it is, in a line."""
    authors: str
    """Who reports it."""
    link: str = ""
    """A paper, a page or doi:... of it."""
    date: str = ""
    """Of the report, such as 2026-01-31; by default today."""
    defence: str = "none"
    """none; input:SPEC as for mondegreen defend; detector:SPEC; hardening:NAME."""
    reported_in: str = ""
    """Where the figures of --against stand, such as: Table 2."""
    reported_pairs: int | None = None
    """How many pairs they rest on."""
    note: str = ""
    """What else has to be known."""
    root: Path = Path()
    """The folder that the leaderboard's lies in."""


def run(words: Sequence[str]) -> None:
    """Parse the words and write the entry."""
    description = "Write an entry of the leaderboard: figures come from result files."
    execute(parse(LeaderboardAdd, words, "leaderboard add", description))


def execute(options: LeaderboardAdd) -> None:
    """Write the entry, with its smoke figures, after checking all of it."""
    if options.out.exists():
        raise MondegreenError(f"{options.out} exists; name another --out, or delete it.")
    defence = parse_defence_kind(options.defence)
    content = new_entry(
        options.title,
        (options.authors, options.link, _date(options.date)),
        options.classifier,
        defence,
        [
            parse_claim(
                one, strongest_attacker(defence), options.reported_in, options.reported_pairs
            )
            for one in options.against
        ],
        [parse_reference(one, options.root) for one in options.result],
        options.root,
        options.note,
    )
    entry = read_entry(Sheet.wrap(content, str(options.out)), options.out.stem)
    read_measured(entry, options.root)
    if defence["kind"] != DETECTOR:
        keep_memory()
        subject = load_subject(entry, options.root, options.out)
        if set(subject.deployed.labels) <= set(TEN_WORDS):
            with voices() as folder:
                content["smoke"] = smoke_content(measure_smoke(subject, folder))
        else:
            say(
                "no smoke figures: the synthetic voices do not say this classifier's labels. Check "
                "the entry with clips: mondegreen leaderboard check --data."
            )
    write_json(options.out, content)
    say(f"Written to {options.out}. Check it: mondegreen leaderboard check {options.out}")


def _date(text: str) -> datetime.date:
    if not text:
        return datetime.datetime.now(datetime.UTC).date()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise MondegreenError(f"--date {text!r} is no date such as 2026-01-31.") from error
