"""What the classifier heard in a pair's two clips: its probabilities, label by label."""

from __future__ import annotations

from dataclasses import dataclass

from mondegreen.report.pairs import Sample

MOST = 5
"""Labels to show."""


@dataclass(frozen=True)
class Chance:
    """The probabilities of one label, before and after; None where only the other is known.

    ``role`` is ``target``, ``said`` or empty.
    """

    label: str
    before: float | None
    after: float | None
    role: str


def chances(sample: Sample, most: int = MOST) -> tuple[Chance, ...]:
    """Return what was said, the target, and other labels by the higher of their probabilities.

    Older evaluations know the probability of the target only: it stands alone then, and nothing is
    returned where not even that is known.

    Args:
        sample: The pair.
        most: How many labels to show; what was said and the target come first in any case.
    """
    before, after = sample.before_probabilities, sample.after_probabilities
    if before is None or after is None:
        known = sample.before_probability, sample.after_probability
        return () if known == (None, None) else (Chance(sample.target, *known, role="target"),)
    roles = {sample.target: "target", sample.source: "said"}
    first = [sample.source, sample.target] if sample.source != sample.target else [sample.source]
    others = [label for label in before if label not in first]
    others.sort(key=lambda label: -max(before[label], after[label]))
    labels = [*first, *others[: max(0, most - len(first))]]
    return tuple(
        Chance(label, before[label], after[label], roles.get(label, "")) for label in labels
    )
