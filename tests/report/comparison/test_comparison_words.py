"""Sentences on who wins where, of made-up comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mondegreen.report.comparison_paper import limits_notes
from mondegreen.report.comparison_results import Comparison
from mondegreen.report.comparison_words import plain_words

Make = Callable[..., Comparison]
MakeCell = Callable[..., dict[str, Any]]


def above(low: float) -> dict[str, Any]:
    """A paired difference to the generator, 0.1 between the ends of its interval."""
    return {"difference": low + 0.05, "interval": [low, low + 0.1]}


def test_the_losses_of_the_generator_are_told(make: Make, cell: MakeCell) -> None:
    cells = [
        cell("generator", 25.0, 0.9, ms=4.0),
        cell("pgd:steps=20", 25.0, 1.0, ms=40.0, steps=20, against_generator=above(0.02)),
        cell("bim", 25.0, 0.95, ms=40.0, against_generator=above(0.0)),
        cell("universal", 25.0, 0.8, ms=1.0, against_generator=above(-0.15)),
        cell("genetic", 25.0, 0.125, ms=80.0),
        cell("square", 25.0, 0.7, ms=80.0),
    ]
    (sentence,) = plain_words(make(cells))
    assert sentence.startswith("At 25 dB the generator succeeds in 90.0 %; another attack does")
    assert "most of all the gradient search, 20 steps: by 10.0 points" in sentence
    assert "; 1 more by no difference that these intervals can show." in sentence
    assert "The universal perturbation is" in sentence and "at 80.0 %." in sentence
    assert "reaches 80.0 %: 10.0 points less." in sentence
    assert "the square attack" in sentence and "gets furthest: 70.0 % after 3" in sentence
    assert sentence.endswith(
        "; the genetic attack (Alzantot et al.) 12.5 % after 3 queries a clip."
    )


@pytest.mark.parametrize(
    ("paired", "words"),
    [
        # 4 of 450 pairs, of 2 speakers of 21.
        ([0.0, 0.029], "99.1 %; another attack succeeds more often, by no difference that these"),
        ([0.002, 0.029], "99.1 %; another attack does better, most of all the fast gradient sign"),
        (None, "99.1 %; another attack succeeds more often, by no difference that these intervals"),
    ],
)
def test_chance_is_no_loss(
    make: Make, cell: MakeCell, paired: list[float] | None, words: str
) -> None:
    against = None if paired is None else {"difference": 0.009, "interval": paired}
    cells = [
        cell("generator", 20.0, 0.991, ms=4.0),
        cell("fgsm", 20.0, 1.0, ms=9.0, against_generator=against),
    ]
    (sentence,) = plain_words(make(cells))
    assert words in sentence and sentence.endswith("None is quicker.")


def test_without_the_difference_intervals_must_not_meet(make: Make, cell: MakeCell) -> None:
    own = cell("generator", 20.0, 0.7, success_interval=[0.6, 0.8])
    near = cell("fgsm", 20.0, 0.85, success_interval=[0.8, 0.9])
    far = cell("bim", 20.0, 0.84, success_interval=[0.81, 0.9])
    universal = cell("universal", 20.0, 0.65, success_interval=[0.5, 0.7])
    (sentence,) = plain_words(make([own, near, far, universal]))
    assert "another attack does better, most of all the basic iterative" in sentence
    assert (
        "reaches 65.0 %: 5.0 points less, no difference that these intervals can show." in sentence
    )
    (sentence,) = plain_words(make([own, cell("fgsm", 20.0, 0.5)]))
    assert "70.0 %, and no other attack more often." in sentence


def test_without_a_generator_there_is_nothing_to_say(make: Make, cell: MakeCell) -> None:
    assert (
        plain_words(make([cell("fgsm", 20.0, 0.5, ms=9.0), cell("bim", 20.0, 0.9, ms=9.0)])) == []
    )


def levels(*found: tuple[float | None, str]) -> list[dict[str, Any]]:
    return [
        {"level": level, "db": db, "side": side, "interval": None}
        for level, (db, side) in zip((0.5, 0.9), found, strict=True)
    ]


def reach(label: str, *found: tuple[float | None, str], smallest: bool = False) -> dict[str, Any]:
    return {"label": label, "smallest": smallest, "levels": levels(*found)}


def test_bounds_of_their_own_are_told_beside_the_generator(make: Make, cell: MakeCell) -> None:
    none, own = {"kind": "none", "value": None}, {"kind": "linf", "value": 0.0078125}
    cells = [
        cell("generator", 20, 0.95, ms=4.0),
        cell("generator", 30, 0.8, ms=4.0),
        cell("genetic", 33, 0.125, budget=none),
        cell("pso", 14, 0.25, budget=own),
    ]
    told = [sentence for sentence in plain_words(make(cells)) if "Within" in sentence]
    assert told == [
        "Within its own bound the genetic attack (Alzantot et al.) reaches 12.5 %, at a mean ratio "
        "of 33.5 dB after 3 queries a clip. The generator at 30 dB: 80.0 %.",
        "Within max |δ| ≤ 0.0078125 the SirenAttack (particle swarm) reaches 25.0 %, at a mean "
        "ratio of 14.5 dB after 3 queries a clip. The generator at 20 dB: 95.0 %.",
    ]


def test_the_quietest_is_named_for_each_share(make: Make, cell: MakeCell) -> None:
    cells = [cell(name, db, 0.9) for name in ("generator", "pgd") for db in (20, 30)]
    cells.append(cell("cw", 0, 1.0, smallest=True, budget={"kind": "none", "value": None}))
    reaches = [
        reach("generator", (30.0, "above"), (25.0, "within")),
        reach("pgd", (30.0, "above"), (30.0, "above")),
    ]
    (half, most) = plain_words(make(cells, thresholds=reaches))[-2:]
    assert half == (
        "With 50 % of the pairs 2 attacks still succeed at 30 dB, the highest ratio measured; the "
        "generator beyond 30 dB."
    )
    assert most == (
        "With 90 % of the pairs the gradient search still succeeds at 30 dB, the highest ratio "
        "measured; the generator up to 25.0 dB."
    )
    reaches.append(reach("cw", (55.0, "within"), (41.25, "within"), smallest=True))
    (half, most) = plain_words(make(cells, thresholds=reaches))[-2:]
    assert half.startswith("With 50 % of the pairs the quietest: Carlini and Wagner, up to 55.0 dB")
    assert most.endswith("up to 41.2 dB; the generator up to 25.0 dB.")


def test_limits_stand_beside_those_that_were_published(make: Make, cell: MakeCell) -> None:
    cells = [
        cell("genetic", 20, 0.4, attack={"name": "genetic", "iterations": 500}),
        cell("pso", 20, 0.3, attack={"name": "p", "epochs": 3, "iterations": 30, "particles": 25}),
        cell("pso", 30, 0.2, attack={"name": "p", "epochs": 3, "iterations": 30, "particles": 25}),
        cell("square", 20, 0.9, attack={"name": "square", "queries": 50}),
    ]
    whole, short = limits_notes(make(cells))
    assert whole.endswith("searched to its published limit, 500 iterations.")
    assert "searched 3 epochs x 30 iterations x 25 particles, 1 % of its published limit" in short
