"""Sentences on who wins where, of made-up comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_words import plain_words

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


def test_the_losses_of_the_generator_are_told(make: Make, cell: MakeCell) -> None:
    cells = [
        cell("generator", 25.0, 0.9, ms=4.0),
        cell("pgd:steps=20", 25.0, 1.0, ms=40.0, steps=20),
        cell("universal", 25.0, 0.8, ms=1.0),
        cell("square", 25.0, 0.7, ms=80.0),
    ]
    (sentence,) = plain_words(make(cells))
    assert sentence.startswith("At 25 dB the generator succeeds in 90.0 %; another attack does")
    assert "most of all the gradient search, 20 steps: by 10.0 points" in sentence
    assert "The universal perturbation is" in sentence and "at 80.0 %." in sentence
    assert "reaches 80.0 %: 10.0 points less." in sentence
    assert "the square attack" in sentence and "gets furthest: 70.0 % after 3" in sentence


def test_a_tie_is_no_loss(make: Make, cell: MakeCell) -> None:
    cells = [cell("generator", 20.0, 0.997, ms=4.0), cell("fgsm", 20.0, 1.0, ms=9.0)]
    (sentence,) = plain_words(make(cells))
    assert "99.7 %, and no other attack more often. None is quicker." in sentence


def test_without_a_generator_there_is_nothing_to_say(make: Make, cell: MakeCell) -> None:
    assert (
        plain_words(make([cell("fgsm", 20.0, 0.5, ms=9.0), cell("bim", 20.0, 0.9, ms=9.0)])) == []
    )
