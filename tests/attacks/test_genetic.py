"""The genetic search: its draws, its breeding, and that it climbs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.draws import Draws
from mondegreen.attacks.genetic import GeneticAttack, _places, _Population
from mondegreen.attacks.scores import Scores
from mondegreen.budgets import L2, SNR, Linf
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets

SAMPLES = 640


def clips(count: int, level: float = 0.1) -> Tensor:
    return level * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(5))


def draws(count: int) -> Draws:
    return Draws(7, clips(count), torch.zeros(count, dtype=torch.int64))


class Listener:
    """Remembers what it is asked; the target is never heard, the fitness is a given one."""

    def __init__(self, slope: float = 0.0) -> None:
        self.asked: list[Tensor] = []
        self.slope = slope

    def __call__(self, x: Tensor) -> Tensor:
        """Return a probability of label 0 that rises with the mean of the clip."""
        self.asked.append(x.clone())
        wanted = (0.3 + self.slope * x.mean(dim=(1, 2))).clamp(0.0, 0.49)
        return torch.stack([wanted, 1.0 - wanted], dim=1)


def test_places_are_those_of_a_coin_for_each_sample() -> None:
    chance = torch.tensor([5e-4, 0.02, 0.5, 1.0]).double()
    places = _places(draws(4), torch.arange(4), chance, 400, SAMPLES)
    assert bool((places.diff(dim=1)[places[:, 1:] < SAMPLES] > 0).all())  # none twice
    for row, expected in enumerate(chance.tolist()):
        chosen = places[row][places[row] < SAMPLES]
        counts = (places[row] < SAMPLES).sum(dim=0).double()
        deviation = (SAMPLES * expected * (1 - expected)) ** 0.5
        assert abs(float(counts.mean()) - SAMPLES * expected) <= 4 * deviation / 20 + 1e-6
        if 0.01 < expected < 1.0:
            assert float(counts.std()) == pytest.approx(deviation, rel=0.15)
            halves = torch.bincount(chosen // (SAMPLES // 4), minlength=4) / len(chosen)
            torch.testing.assert_close(halves, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_the_first_generation_is_sparse_noise_in_the_eight_lowest_bits() -> None:
    listener, x = Listener(), torch.zeros(2, 1, SAMPLES)
    attack = GeneticAttack(population=200, iterations=1, mutation=0.01)
    result = attack.against(listener, x, [0, 0], budget=None)
    assert result.queries is not None
    assert result.queries.tolist() == [201, 201]
    steps = torch.cat(listener.asked[1:])[:, 0] * 32_768
    share = float((steps != 0).double().mean())
    assert share == pytest.approx(0.01, rel=0.1)
    values = steps[steps != 0]
    assert float(values.abs().max()) == 255
    assert float(values.mean().abs()) < 15
    assert float(values.std()) == pytest.approx(255 / 3**0.5, rel=0.05)


def test_a_dense_start_and_a_smaller_noise() -> None:
    listener = Listener()
    attack = GeneticAttack(iterations=1, start=1.0, noise=0.1)
    attack.against(listener, torch.zeros(1, 1, SAMPLES), [0], budget=Linf(200 / 32_768))
    steps = torch.cat(listener.asked[1:])[:, 0] * 32_768
    assert float(steps.abs().max()) == 20
    assert float((steps == 0).double().mean()) < 0.05


@pytest.mark.parametrize("elite", [0, 2])
def test_the_elite_is_not_asked_again(elite: int) -> None:
    listener = Listener(slope=5.0)
    attack = GeneticAttack(population=8, elite=elite, iterations=5)
    result = attack.against(listener, clips(2), [0, 0], budget=SNR(20.0))
    assert result.queries is not None
    assert result.queries.tolist() == [1 + 8 + 4 * (8 - elite)] * 2
    assert sum(map(len, listener.asked)) == int(result.queries.sum())


def population(people: Tensor, fitness: Tensor) -> _Population:
    clip_count = len(people)
    chance = torch.full((clip_count,), 5e-4).double()
    return _Population(torch.arange(clip_count), people, fitness, chance)


def test_children_take_each_sample_from_one_of_their_parents() -> None:
    people = torch.arange(1, 41, dtype=torch.int16).view(2, 20, 1).repeat(1, 1, SAMPLES)
    now = population(people, torch.zeros(2, 20).double())  # equally fit
    children = GeneticAttack()._children(now, draws(2))
    assert children.shape == (2, 18, SAMPLES)
    used = set()
    for clip in range(2):
        for child in children[clip]:
            values, counts = torch.unique(child, return_counts=True)
            assert len(values) <= 2
            used |= set(values.tolist())
            if len(values) == 2:
                assert float(counts.double().min() / SAMPLES) == pytest.approx(0.5, abs=0.1)
                change = float((child[1:] != child[:-1]).double().mean())
                assert change == pytest.approx(0.5, abs=0.12)  # each sample on its own
    assert len(used) > 25
    assert set(torch.unique(children[0]).tolist()) <= set(range(1, 21))


def test_parents_are_drawn_by_a_softmax_of_their_fitness() -> None:
    people = torch.arange(100, dtype=torch.int16).view(1, 100, 1).repeat(4, 1, SAMPLES)
    fitness = torch.zeros(4, 100).double()
    fitness[:, 7] = 0.03
    fitness[:, 9] = 0.02
    children = GeneticAttack(population=100)._children(population(people, fitness), draws(4))
    shares = torch.bincount(children.flatten().int(), minlength=100) / children.numel()
    expected = (fitness[0] / 0.01).softmax(dim=0)
    torch.testing.assert_close(shares[7], expected[7].float(), atol=0.03, rtol=0)
    torch.testing.assert_close(shares[9], expected[9].float(), atol=0.02, rtol=0)
    cold = GeneticAttack(population=100, temperature=1e-9)
    only = cold._children(population(people, fitness), draws(4))
    assert torch.unique(only).tolist() == [7]
    nothing = population(people, torch.full((4, 100), 1e-320).double())
    assert len(torch.unique(cold._children(nothing, draws(4)))) > 50


def test_the_fittest_are_carried_over() -> None:
    people = torch.arange(5, dtype=torch.int16).view(1, 5, 1).repeat(1, 1, SAMPLES)
    now = population(people, torch.tensor([[0.1, 0.4, 0.2, 0.3, 0.0]]).double())
    scores = Scores(Listener(), clips(1), torch.tensor([0]), None)
    GeneticAttack(population=5, elite=2)._next(now, scores, draws(1))
    assert now.people.shape == (1, 5, SAMPLES)
    assert torch.equal(now.people[:, :2], people[:, [1, 3]])
    assert now.fitness[0, :2].tolist() == pytest.approx([0.4, 0.3])


def test_under_a_euclidean_budget_the_few_first_samples_use_all_of_it() -> None:
    listener, x = Listener(), clips(1)
    attack = GeneticAttack(iterations=1, mutation=0.01)
    budget = L2(0.5)
    attack.against(listener, x, [0], budget=budget)
    moved = torch.cat(listener.asked[1:]) - listener.asked[0]
    norms = budget.norm(moved)
    assert float((moved != 0).double().mean()) < 0.02
    assert float(norms.min()) > 0.49
    assert float(norms.max()) <= 0.5


def test_mutations_stay_within_the_bound_however_many_there_are() -> None:
    for budget in (Linf(3 / 32_768), Linf(0.9), None):
        listener = Listener(slope=1.0)
        attack = GeneticAttack(population=6, iterations=12, mutation=0.5)
        attack.against(listener, torch.zeros(1, 1, SAMPLES), [0], budget=budget)
        steps = torch.cat(listener.asked) * 32_768
        limit = {3 / 32_768: 3, 0.9: 16_383}[budget.eps] if budget else 255
        assert float(steps.abs().max()) == limit


def test_momentum_follows_the_progress() -> None:
    attack = GeneticAttack(momentum=True, fitness="margin")
    now = population(torch.zeros(3, 2, 64, dtype=torch.int16), torch.zeros(3, 2).double())
    now.fitness[:, 0] = torch.tensor([1.5, 1.0, 1.0001]).double()
    attack._adapt(now, torch.ones(3).double())
    expected = [0.9 * 5e-4 + 1e-3 / 0.5, 5e-4, 5e-3]  # progress, none, hardly any
    assert now.chance.tolist() == pytest.approx(expected)
    listener = Listener(slope=3.0)
    GeneticAttack(momentum=True, iterations=4).against(listener, clips(2), [0, 0], budget=SNR(9.0))


def test_momentum_sees_the_logarithms_of_probabilities_and_a_chance_is_at_most_one() -> None:
    now = population(torch.zeros(1, 2, 64, dtype=torch.int16), torch.tensor([[0.2, 0.1]]).double())
    GeneticAttack(momentum=True)._adapt(now, torch.tensor([0.1]).double())
    assert now.chance.tolist() == pytest.approx([0.9 * 5e-4 + 1e-3 / math.log(2.0)])
    hardly = GeneticAttack(momentum=True, fitness="margin", mutation=0.5)
    hardly._adapt(now, torch.tensor([0.2001]).double())
    assert now.chance.tolist() == [1.0]


@pytest.mark.parametrize("options", [{}, {"fitness": "margin"}, {"momentum": True}])
def test_it_climbs(options: dict[str, Any]) -> None:
    x = clips(3)
    found = []
    for iterations in (1, 30):
        listener = Listener(slope=20.0)
        attack = GeneticAttack(iterations=iterations, mutation=0.02, **options)
        result = attack.against(listener, x, [0, 0, 0], budget=SNR(20.0))
        found.append(result.logits.exp()[:, 0])
    clean = Listener(slope=20.0)(x)[:, 0]
    assert bool((found[0] > clean).all())
    assert bool((found[1] > found[0] + 0.5 * (found[0] - clean)).all())


def test_what_makes_no_sense_is_refused() -> None:
    for options, message in (
        ({"population": 0}, "population is 0"),
        ({"iterations": 0}, "iterations is 0"),
        ({"elite": 20}, "elite is 20"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"mutation": 0.0}, "mutation is 0.0"),
        ({"start": 1.5}, "start is 1.5"),
    ):
        with pytest.raises(MondegreenError, match=message):
            GeneticAttack(**options)


def test_the_published_defaults() -> None:
    parameters = GeneticAttack().parameters()
    published = {"population": 20, "elite": 2, "iterations": 500, "temperature": 0.01}
    assert published.items() <= parameters.items()
    assert parameters["mutation"] == 5e-4
    assert parameters["fitness"] == "probability"


def test_it_gets_on_with_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    data = open_test_split(options, *shape, "validation")
    random = torch.Generator().manual_seed(1)
    x, label = data.sample(4, random)
    target = draw_targets(label, torch.arange(10), random)
    before = classifier(x).softmax(dim=1).gather(1, target[:, None]).log()
    attack = GeneticAttack(iterations=15, fitness="margin")
    result = attack(classifier, x, target, budget=SNR(10.0))
    after = result.logits.softmax(dim=1).gather(1, target[:, None]).log()
    assert float((after - before).median()) > 1.0
