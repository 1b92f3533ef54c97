"""Which state of a hardening is kept: the most robust one that has not lost too much."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_ROUNDING = 1e-9  # accuracies are ratios of counts; their difference may be off by a rounding


@dataclass
class Selection:
    """The best state so far, under a limit on the clean accuracy.

    States within the limit are ordered by robust accuracy, then by clean accuracy, and all of them
    are better than those outside, which are ordered by clean accuracy: where none gets inside, what
    is kept is what lost least.

    Example:
        >>> selection = Selection(least_clean=0.90)
        >>> [selection.take(*state) for state in ((0.80, 0.9), (0.95, 0.3), (0.91, 0.5))]
        [True, True, True]
        >>> selection.take(0.85, 0.99), selection.within
        (False, True)
    """

    least_clean: float
    """Clean accuracy on the validation clips that has to remain, 0 to 1."""
    clean: float = -1.0
    """Of the state that is kept."""
    robust: float = -1.0
    """Of the state that is kept."""
    epoch: int = 0
    """Of the state that is kept; 0: none yet."""

    @property
    def within(self) -> bool:
        """Whether the state that is kept keeps the limit."""
        return self._within(self.clean)

    def _within(self, clean: float) -> bool:
        return clean >= self.least_clean - _ROUNDING

    def take(self, clean: float, robust: float, epoch: int = 1) -> bool:
        """Tell whether a new state is better than the one that is kept, and note it if so.

        Args:
            clean: Its clean accuracy, 0 to 1.
            robust: Its accuracy under attack, 0 to 1.
            epoch: When it was reached.
        """
        if self._rank(clean, robust) <= self._rank(self.clean, self.robust) and self.epoch:
            return False
        self.clean, self.robust, self.epoch = clean, robust, epoch
        return True

    def _rank(self, clean: float, robust: float) -> tuple[bool, float, float]:
        within = self._within(clean)
        return (True, robust, clean) if within else (False, clean, robust)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return asdict(self)
