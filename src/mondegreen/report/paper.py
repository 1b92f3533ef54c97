"""What the paper reports, as data, so that tables show *reported* beside *measured*.

Wang, Dong, Wang, Yan, Wang: Targeted Speech Adversarial Example Generation With Generative
Adversarial Network, IEEE Access 8, 2020, doi 10.1109/ACCESS.2020.3006130.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

CITATION = (
    "D. Wang, L. Dong, R. Wang, D. Yan, J. Wang: Targeted Speech Adversarial Example Generation "
    "With Generative Adversarial Network. IEEE Access 8, 2020."
)
DOI = "10.1109/ACCESS.2020.3006130"

NOT_STATED = "device not stated"


@dataclass(frozen=True)
class ReportedAttack:
    """One row of Table 1 for one classifier, with its average PESQ from Table 2.

    Rates are fractions, times are seconds a clip; ``pesq`` is None where the paper has none.
    """

    attack: str
    success_rate: float
    snr_db: float
    seconds: float
    device: str
    pesq: float | None
    source: str


@dataclass(frozen=True)
class ReportedTarget:
    """One column of Table 2; ``success_rate`` where the text of section V-B gives it."""

    target: str
    snr_db: float
    pesq: float
    success_rate: float | None = None


@dataclass(frozen=True)
class ReportedSource:
    """The average success of the clips of one label, where section V-B gives it."""

    source: str
    success_rate: float


@dataclass(frozen=True)
class ReportedCell:
    """One cell of Fig. 4 whose number the text gives."""

    source: str
    target: str
    success_rate: float


@dataclass(frozen=True)
class ReportedSetting:
    """One classifier and data set of the paper's experiments (section V-A, V-B)."""

    key: str
    classifier: str
    data: str
    clean_accuracy: float
    classifier_parameters: int  # counted from the architecture; the paper does not state them
    train_clips: int  # four fifths of the clips of its ten labels, counted from the data
    proposed: ReportedAttack
    baselines: tuple[ReportedAttack, ...]
    targets: tuple[ReportedTarget, ...]
    error_range: tuple[float, float]
    error_deviation: float
    outliers: int
    """Of the 90 cells off the diagonal, those outside of the whiskers of Fig. 6."""
    sources: tuple[ReportedSource, ...] = ()
    cell: ReportedCell | None = None

    @property
    def error_mean(self) -> float:
        """The average error rate over the cells (section V-B)."""
        return 1.0 - self.proposed.success_rate

    @property
    def name(self) -> str:
        """Classifier and data set in one line."""
        return f"{self.classifier} on {self.data}"

    def target(self, label: str) -> ReportedTarget | None:
        """Return the column of Table 2 for ``label``, or None."""
        return next((t for t in self.targets if t.target == label), None)


@dataclass(frozen=True)
class ReportedValue:
    """One value that is not in a table, with where it comes from."""

    name: str
    value: str
    source: str


SPEECH = ReportedSetting(
    key="speech",
    classifier="WideResNet",
    data="Speech Commands v0.01",
    clean_accuracy=0.9603,
    classifier_parameters=36_478_906,
    train_clips=18_960,
    proposed=ReportedAttack("GAN", 0.9233, 20.27, 0.009, "Titan X", 3.087, "Tables 1 and 2"),
    baselines=(
        ReportedAttack("Alzantot et al.", 0.8496, 15.72, 231.46, "Titan X", None, "Table 1"),
        ReportedAttack("SirenAttack", 0.8925, 17.57, 368.29, "GTX 1080 Ti", None, "Table 1"),
    ),
    targets=(
        ReportedTarget("yes", 16.73, 2.808),
        ReportedTarget("no", 20.80, 3.179),
        ReportedTarget("up", 21.55, 3.151, 0.9534),
        ReportedTarget("down", 19.69, 3.040),
        ReportedTarget("left", 19.59, 3.208),
        ReportedTarget("right", 23.41, 3.303, 0.9402),
        ReportedTarget("on", 19.40, 2.858, 0.9621),
        ReportedTarget("off", 21.89, 3.151, 0.9279),
        ReportedTarget("stop", 17.66, 3.116),
        ReportedTarget("go", 22.02, 3.060),
    ),
    error_range=(0.0284, 0.2292),
    error_deviation=0.039,
    outliers=6,
    sources=(
        ReportedSource("no", 0.9506),
        ReportedSource("left", 0.9430),
        ReportedSource("stop", 0.9407),
    ),
    cell=ReportedCell("no", "yes", 0.9444),
)
"""WideResNet-28-10 on Speech Commands (Tables 1 and 2, Figs. 4 and 6)."""

MUSIC = ReportedSetting(
    key="music",
    classifier="SampleCNN",
    data="GTZAN",
    clean_accuracy=0.9290,
    classifier_parameters=2_445_322,
    train_clips=23_200,
    proposed=ReportedAttack("GAN", 0.9058, 26.92, 0.01, NOT_STATED, 3.947, "Tables 1 and 2"),
    baselines=(
        ReportedAttack("Alzantot et al.", 0.8276, 14.15, 215.36, NOT_STATED, None, "Table 1"),
        ReportedAttack("SirenAttack", 0.8910, 15.39, 452.21, NOT_STATED, None, "Table 1"),
    ),
    targets=(
        ReportedTarget("blues", 26.91, 3.840),
        ReportedTarget("classical", 24.67, 3.731),
        ReportedTarget("country", 27.21, 3.984),
        ReportedTarget("disco", 27.36, 4.062),
        ReportedTarget("hiphop", 26.44, 3.985),
        ReportedTarget("jazz", 27.32, 3.689),
        ReportedTarget("metal", 26.74, 3.792),
        ReportedTarget("pop", 29.79, 4.230),
        ReportedTarget("reggae", 24.12, 3.896),
        ReportedTarget("rock", 28.66, 4.262),
    ),
    error_range=(0.0034, 0.3552),
    error_deviation=0.0645,
    outliers=5,
)
"""SampleCNN on GTZAN (Tables 1 and 2, Figs. 5 and 6)."""

SETTINGS = (SPEECH, MUSIC)

GENERATOR_PARAMETERS = 5_196_464
"""Counted from Fig. 2; the paper does not state it."""

GENERATOR_MACS = 1_354_760_192
"""Multiply-accumulates for 16,384 samples, counted from Fig. 2."""

PARAMETERS = (
    ReportedValue("alpha, beta, gamma (eq. 5)", "1, 1, 100", "section V-A"),
    ReportedValue("c (eq. 8)", "0", "section V-A"),
    ReportedValue("learning rate (Adam)", "2e-4", "section V-A"),
    ReportedValue("batch size", "64", "section V-A"),
    ReportedValue("epochs", "50", "section V-A"),
    ReportedValue("warm-up epochs", "3", "section IV-E"),
    ReportedValue("seed", "1024", "section V-A"),
    ReportedValue("split", "80 / 10 / 10 by clip", "section V-A"),
    ReportedValue("clip length", "16,384 samples", "Fig. 2"),
    ReportedValue("generator parameters", f"{GENERATOR_PARAMETERS:,}", "counted from Fig. 2"),
)


@dataclass(frozen=True)
class ReportedAblation:
    """What section V-D and Fig. 9 say of one choice of losses, for "yes" -> "right".

    ``best`` is the best training success within some hundred iterations.
    """

    variant: str
    best: float


ABLATION = (
    ReportedAblation("hinge", 0.8516),
    ReportedAblation("l2", 0.9219),
    ReportedAblation("both", 0.9688),
)
"""The losses of Fig. 9: hinge alone, L2 alone, L2 and hinge."""

COLLAPSE_STEP = 700
"""After so many iterations either loss alone collapses (section V-D)."""

STABLE_STEPS = 2000
"""For at least so many iterations both losses together do not."""


def closest_setting(labels: Collection[str]) -> ReportedSetting:
    """Return the setting of the paper that shares most labels with ``labels``; speech on a tie.

    Example:
        >>> closest_setting(["jazz", "rock"]).name
        'SampleCNN on GTZAN'
    """

    def shared(setting: ReportedSetting) -> int:
        return len({t.target for t in setting.targets} & set(labels))

    return max(SETTINGS, key=shared)
