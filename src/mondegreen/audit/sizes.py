"""How much an audit measures in the minutes that it has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mondegreen.audit.speed import BATCH, Speed

BUDGETS_DB = (20, 25, 30, 35, 40)
"""Of the attacks with gradients: from audible noise to what hardly anybody hears."""
BLIND_DB = (20, 30)
"""Of the attacks without, which cost many queries."""
SEARCH_STEPS = 20
START_S = 8.0
"""About what it takes to start a command and to draw its figures."""
FEWEST, MOST = 60, 900
"""Pairs: fewer say little, more say hardly anything new."""
MOST_EPOCHS = 60
QUERIES = (2000, 1000, 500, 250)
"""Limits of the attack without gradients, from the best to what is worth the name."""
SPENT = 0.6
"""Share of the queries that a clip spends on average: a search ends with its first success."""
GOALS = 2
"""Every search is run twice: towards chosen labels, and away from the right one."""
REFINED = 5
"""Steps that refine the generator's proposal, in a cell of its own."""

SHARES_TOGETHER = {"generator": 0.6, "gradient": 0.22, "blind": 0.5, "look": 0.15}
"""Shares of the time where two stages run at once: one trains the generator, one searches."""
SHARES_ALONE = {"generator": 0.5, "gradient": 0.12, "blind": 0.2, "look": 0.1}
"""Shares of the time where one stage follows the other."""
SHARES_BLIND = {"generator": 0.0, "gradient": 0.0, "blind": 0.9, "look": 0.0}
"""Shares of the time where there are no gradients."""


@dataclass(frozen=True)
class Amounts:
    """What there is to measure on."""

    train_clips: int
    validation_clips: int
    labelled: int
    """Labelled clips in a batch of the generator's training."""
    pairs: int
    """Pairs of a test clip and a target."""
    clips: int
    """Test clips."""


@dataclass(frozen=True)
class Seconds:
    """What each stage is expected to take; 0 for one that is left out."""

    generator: float = 0.0
    gradient: float = 0.0
    look: float = 0.0
    blind: float = 0.0

    def together(self) -> float:
        """Return how long all take where the generator is trained beside the searches."""
        return max(self.generator + self.look, self.gradient + self.blind)

    def alone(self) -> float:
        """Return how long all take one after the other."""
        return self.generator + self.gradient + self.look + self.blind


@dataclass(frozen=True)
class Sizes:
    """What an audit runs."""

    epochs: int
    """Of the generator's training; 0 trains none."""
    pairs: int
    """Of clip and target, for the attacks with gradients and the generator."""
    blind_pairs: int
    """For the attack without gradients."""
    queries: int
    """At most so many for a clip."""
    seconds: Seconds
    notes: tuple[str, ...] = ()
    """What the time did not suffice for."""


def choose_sizes(speed: Speed, amounts: Amounts, minutes: float, *, together: bool) -> Sizes:
    """Return how much can be measured in the time.

    Args:
        speed: Of this machine.
        amounts: What there is.
        minutes: On the clock.
        together: Whether two stages run at once.

    Example:
        >>> speed = Speed(query=0.0006, gradient=0.002, step=0.2)
        >>> amounts = Amounts(2800, 350, 32, 3330, 370)
        >>> sizes = choose_sizes(speed, amounts, 10, together=True)
        >>> sizes.epochs, sizes.pairs, sizes.blind_pairs, sizes.queries
        (17, 310, 126, 2000)
    """
    shares = SHARES_TOGETHER if together else SHARES_ALONE
    if speed.gradient is None or speed.step is None:
        shares = SHARES_BLIND
    given = {name: max(0.0, 60.0 * minutes * share - START_S) for name, share in shares.items()}
    notes: list[str] = []
    seconds = Seconds()
    epochs = pairs = 0
    if speed.gradient is not None and speed.step is not None:
        steps = -(-amounts.train_clips // amounts.labelled)
        forward = speed.step / 3 / BATCH
        epoch = 1.1 * steps * speed.step + amounts.validation_clips * forward
        epochs = min(MOST_EPOCHS, int(given["generator"] / epoch))
        if epochs < 1:
            notes.append(f"one pass over the training clips takes {_told(epoch)}; it trains one.")
        epochs = max(1, epochs)
        search = GOALS * len(BUDGETS_DB) * SEARCH_STEPS * speed.gradient
        pairs = _pairs(given["gradient"], search, amounts.pairs, "the gradient search", notes)
        seconds = Seconds(
            generator=START_S + epochs * epoch,
            gradient=START_S + pairs * search,
            look=START_S + pairs * len(BUDGETS_DB) * (REFINED + 1) * speed.gradient,
        )
    blind_pairs, queries = _blind(given["blind"], speed, amounts, notes)
    seconds = replace(seconds, blind=START_S + blind_pairs * _blind_pair(queries, speed))
    return Sizes(epochs, pairs, blind_pairs, queries, seconds, tuple(notes))


def _pairs(given: float, each: float, available: int, what: str, notes: list[str]) -> int:
    """Return how many pairs fit; at least :data:`FEWEST`, with a note where they do not fit."""
    fit = int(given / each)
    least = min(FEWEST, available)
    if fit < least:
        notes.append(f"{least} pairs, the least for {what}, take {_told(least * each)}.")
    return min(available, MOST, max(least, fit))


def _blind(given: float, speed: Speed, amounts: Amounts, notes: list[str]) -> tuple[int, int]:
    """Return pairs and queries: as many queries as leave enough pairs."""
    for queries in QUERIES:
        each = _blind_pair(queries, speed)
        if given / each >= min(FEWEST, amounts.pairs):
            break
    what = "the attack without gradients"
    return _pairs(given, each, amounts.pairs, what, notes), queries


def _blind_pair(queries: int, speed: Speed) -> float:
    """Return the seconds that a pair takes; getting away from a label is soon done."""
    return len(BLIND_DB) * queries * speed.query * SPENT * (1 + SPENT)


def _told(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} s"
