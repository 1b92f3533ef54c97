"""A classifier that does not listen to what is very faint.

A logarithm makes much of little: where a clip is quiet, a perturbation 30 dB below its loud parts
changes the log-mel spectrum more than speech does. The floor that is added to the power before the
logarithm bounds that, smoothly, so gradients remain what they say they are.
"""

from __future__ import annotations

from dataclasses import replace

from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.errors import MondegreenError


def raise_floor(
    classifier: Classifier, config: ClassifierConfig, floor: float
) -> tuple[Classifier, ClassifierConfig]:
    """Return the same classifier with another floor under its log-mel spectrum.

    The weights are taken over, so its answers are worse at first; training mends that.

    Args:
        classifier: A built-in classifier with a log-mel front end; it is left as it is.
        config: Its description.
        floor: The new floor, a mel power.

    Raises:
        MondegreenError: It has another front end, or the floor is below the present one.
    """
    front_end = config.front_end
    if not isinstance(front_end, LogMelConfig):
        raise MondegreenError(
            f"--floor: {classifier.name} hears by a {front_end.kind} front end, which has no floor "
            "to raise; leave the option out."
        )
    if not floor >= front_end.floor:
        raise MondegreenError(
            f"--floor is {floor:g}; choose {front_end.floor:g}, the present one, or more."
        )
    config = replace(config, front_end=replace(front_end, floor=floor))
    raised = Classifier.from_config(config)
    raised.module.load_state_dict(classifier.module.state_dict())
    return raised.to(classifier.device).freeze(), config
