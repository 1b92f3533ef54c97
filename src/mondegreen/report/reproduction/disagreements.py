"""Where the paper's text and its code disagree, and what that changes in this run."""

from __future__ import annotations

from dataclasses import dataclass

from mondegreen.report.formatting import percent
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import Leak, Reproduction
from mondegreen.report.reproduction.trainings import Ablation, spread

NOT_VARIED = "not varied in this run"


@dataclass(frozen=True)
class Disagreement:
    """One point: what the text says, what the public code does, what it changes here."""

    topic: str
    text: str
    code: str
    changes: str


def disagreements(found: Reproduction) -> list[Disagreement]:
    """Return the points, those that this run measured with their numbers."""
    return [
        Disagreement(
            "The L2 term (eq. 9)",
            "the norm ‖x_adv − x‖₂, times 100",
            "the mean absolute value, times 100: an L1, some hundred times smaller",
            _readings(found.ablation),
        ),
        Disagreement(
            "Hinge beside L2 (eq. 8, 9)",
            "with c = 0 both are the norm of the perturbation, so “L2”, “hinge” and “both” differ "
            "only in their weights: 100, 1 and 101",
            "two different functions",
            _hinge_and_both(found.ablation),
        ),
        Disagreement(
            "The discriminator (eq. 7, 10, 11)",
            "logarithms, to be maximised; as printed, eq. 11 reverses the game",
            "LSGAN, targets 1 and 0",
            "trained as in the code; " + NOT_VARIED,
        ),
        Disagreement(
            "Success (eq. 14)",
            "misclassified over all samples",
            "Figs. 4 and 5 count clips heard as the target",
            "counted as in the figures",
        ),
        Disagreement(
            "Clips to train on",
            "all labels but the target",
            "as committed, “yes” only",
            "trained as in the text; " + NOT_VARIED,
        ),
        Disagreement(
            "Learning rate and batch",
            "2e-4 and 64",
            "1e-5 and 16",
            "the commands of the stages say what was used; " + NOT_VARIED,
        ),
        Disagreement(
            "Division of the music",
            "80 : 10 : 10",
            "by one-second chunk, so a track is in training and in test",
            _leak(found),
        ),
    ]


def _readings(ablation: Ablation | Missing) -> str:
    if isinstance(ablation, Missing):
        return f"not measured: {ablation.reason}"
    parts = []
    for reading, name in (("code", "the code's"), ("paper", "the printed")):
        trainings = ablation.of("both", reading)
        best, snr = spread(trainings, lambda t: t.best), spread(trainings, lambda t: t.snr_db)
        if best is not None:
            quiet = "" if snr is None else f" at {snr.mean:.1f} dB"
            parts.append(f"{name} reading reaches {percent(best.mean, 1)} of the training{quiet}")
    return "with both losses, " + ", ".join(parts) if parts else "not measured in this run"


def _hinge_and_both(ablation: Ablation | Missing) -> str:
    if isinstance(ablation, Missing):
        return f"not measured: {ablation.reason}"
    snr = {
        variant: spread(ablation.of(variant, "paper"), lambda t: t.snr_db)
        for variant in ("hinge", "l2", "both")
    }
    known = [f"{name} {one.mean:.1f} dB" for name, one in snr.items() if one is not None]
    return f"as printed, SNR: {', '.join(known)}" if known else "not measured as printed"


def _leak(found: Reproduction) -> str:
    parts = [
        f"{one.key}: {percent(one.leak.clean_accuracy, 1)} by chunk, "
        f"{percent(one.leak.honest_accuracy, 1)} by whole recordings"
        for one in found.settings
        if isinstance(one.leak, Leak)
    ]
    return "; ".join(parts) if parts else "not measured in this run"
