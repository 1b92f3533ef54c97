"""The ablation of a reproduction: trainings under several losses, over several seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mondegreen.report.fields import Fields
from mondegreen.report.reproduction.sounds import SoundPair, read_sounds

VARIANTS = {
    "hinge": "hinge alone",
    "l2": "L2 alone",
    "both": "L2 and hinge",
    "no-discriminator": "L2 and hinge, no discriminator",
    "no-warm-up": "L2 and hinge, no warm-up",
}
"""The losses that are compared, as readers know them."""

WITHOUT_EQ_9 = "hinge"
"""The variant that no reading of eq. 9 changes."""

READINGS = {"code": "100 · mean |δ|, as in the authors' code", "paper": "100 · ‖δ‖₂, as printed"}
"""The two readings of eq. 9."""

CURVES = ("train/success", "validation/success", "generator/total", "train/snr_db")

Row = Mapping[str, float | None]


@dataclass(frozen=True)
class Training:
    """One training of the ablation, and its network on the test clips.

    Args:
        variant: Of :data:`VARIANTS`.
        reading: Of :data:`READINGS`.
        curve: One mapping an epoch, as in ``metrics.jsonl``; it has a ``step``.
        best: The best success on training clips.
        last: The last one.
        energy_in_tenth: Share of the perturbation's energy in its loudest tenth of samples.
    """

    variant: str
    reading: str
    seed: int
    curve: tuple[Row, ...]
    best: float | None
    last: float | None
    success_rate: float | None
    pairs: int
    snr_db: float | None
    pesq_nb: float | None
    energy_in_tenth: float | None
    training_seconds: float | None
    example: SoundPair | None

    @property
    def steps(self) -> int:
        """The last step of the curve."""
        return int(max((row["step"] or 0 for row in self.curve), default=0))

    def points(self, name: str) -> list[tuple[float, float]]:
        """Return steps and values of one column of the curve."""
        found = [(row["step"], row.get(name)) for row in self.curve]
        return [(step, y) for step, y in found if step is not None and y is not None]


@dataclass(frozen=True)
class Ablation:
    """All trainings; from one label's clips to one target."""

    setting: str
    source: str
    target: str
    trainings: tuple[Training, ...]

    @property
    def readings(self) -> list[str]:
        """The readings of eq. 9 that were trained."""
        found = {one.reading for one in self.trainings}
        return [name for name in READINGS if name in found]

    def of(self, variant: str, reading: str) -> list[Training]:
        """Return the trainings of one variant, one a seed.

        Hinge alone has no eq. 9, so its trainings stand under every reading.
        """
        exact = [t for t in self.trainings if (t.variant, t.reading) == (variant, reading)]
        if exact or variant != WITHOUT_EQ_9:
            return exact
        return [t for t in self.trainings if t.variant == variant]

    def groups(self) -> list[tuple[str, str, list[Training]]]:
        """Return reading, variant and trainings, where there are any; none of them twice."""
        named = {
            (r, v): [t for t in self.trainings if (t.variant, t.reading) == (v, r)]
            for r in self.readings
            for v in VARIANTS
        }
        return [(r, v, trainings) for (r, v), trainings in named.items() if trainings]


@dataclass(frozen=True)
class Spread:
    """A value over several seeds."""

    mean: float
    low: float
    high: float
    count: int


def spread(
    trainings: Sequence[Training], value: Callable[[Training], float | None]
) -> Spread | None:
    """Return mean and range of a value over the trainings that have it."""
    known = [found for found in map(value, trainings) if found is not None]
    return Spread(fmean(known), min(known), max(known), len(known)) if known else None


def read_ablation(fields: Fields) -> Ablation:
    """Return the ablation.

    Raises:
        MondegreenError: A field is missing or damaged.
    """
    return Ablation(
        setting=fields.text("setting"),
        source=fields.text("source"),
        target=fields.text("target"),
        trainings=tuple(map(_training, fields.children("runs"))),
    )


def _training(fields: Fields) -> Training:
    for name, known in (("variant", VARIANTS), ("reading", READINGS)):
        if fields.text(name) not in known:
            fields.fail(name, f"{fields.text(name)!r} is not one of {', '.join(known)}")
    example = fields.optional_child("example")
    return Training(
        variant=fields.text("variant"),
        reading=fields.text("reading"),
        seed=fields.count("seed"),
        curve=tuple(map(_row, fields.children("curve"))),
        best=fields.optional_rate("best_train_success"),
        last=fields.optional_rate("last_train_success"),
        success_rate=fields.optional_rate("success_rate"),
        pairs=fields.count("pairs"),
        snr_db=fields.optional_number("snr_db"),
        pesq_nb=fields.optional_number("pesq_nb"),
        energy_in_tenth=fields.optional_rate("energy_in_tenth"),
        training_seconds=fields.optional_number("training_seconds"),
        example=None if example is None else read_sounds(example),
    )


def _row(fields: Fields) -> Row:
    row: dict[str, float | None] = {"step": fields.number("step")}
    for name in CURVES:
        read = fields.optional_rate if name.endswith("success") else fields.optional_number
        row[name] = read(name)
    return row
