"""Every table and figure of a reproduction, in the order of the paper."""

from __future__ import annotations

from mondegreen.report.reproduction import attack_exhibits, training_exhibits
from mondegreen.report.reproduction.exhibit import Exhibit
from mondegreen.report.reproduction.results import Reproduction

BUILDERS = (
    attack_exhibits.success,
    attack_exhibits.rivals,
    attack_exhibits.quality,
    training_exhibits.ablation,
    training_exhibits.time,
    training_exhibits.unified,
    training_exhibits.leak,
)


def exhibits(found: Reproduction) -> list[Exhibit]:
    """Return all tables and figures but the table of stages; what is missing has its reason."""
    return [one for build in BUILDERS for one in build(found)]
