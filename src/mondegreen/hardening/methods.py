"""All methods of adversarial training by name."""

from __future__ import annotations

from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import Method
from mondegreen.hardening.pgd import ProjectedGradientTraining
from mondegreen.hardening.trades import Trades
from mondegreen.hardening.turns import GeneratorTraining


def build(options: Hardening, generator: Generator | None = None) -> Method:
    """Return the method that ``options`` name.

    Args:
        options: Which one, and how strong it is.
        generator: For ``generator`` and ``refined``; it is changed.

    Raises:
        MondegreenError: The method needs a generator and there is none, or it is for one target.
    """
    if options.needs_generator:
        if generator is None:
            raise MondegreenError(
                f"method {options.method} attacks by a generator: name its run by --generator, or "
                "choose pgd, trades or fast."
            )
        return GeneratorTraining(options, generator)
    if options.method == "trades":
        return Trades(options)
    return ProjectedGradientTraining(options)
