"""A reproduction asked about every claim of the paper, and the verdicts counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mondegreen.report.reproduction.findings import VERDICTS, Claim, Finding, Verdict
from mondegreen.report.reproduction.results import Reproduction
from mondegreen.report.reproduction.sentences import CLAIMS


@dataclass(frozen=True)
class Judged:
    """A claim and what the reproduction says about it."""

    claim: Claim
    finding: Finding


def judge_all(reproduction: Reproduction) -> list[Judged]:
    """Ask a reproduction about every claim."""
    return [Judged(claim, claim.judge(reproduction)) for claim in CLAIMS]


def tally(judged: Sequence[Judged]) -> dict[Verdict, int]:
    """Count the verdicts."""
    counts = Counter(one.finding.verdict for one in judged)
    return {verdict: counts[verdict] for verdict in VERDICTS}
