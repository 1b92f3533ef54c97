"""The particle swarm: its draws, its dynamics against a plain reckoning, its epochs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mondegreen.attacks.draws import Draws
from mondegreen.attacks.particle_swarm import ParticleSwarm
from mondegreen.attacks.scores import Scores
from mondegreen.budgets import SNR, Budget, Linf, parse_budget
from mondegreen.classifiers.loading import load_classifier
from mondegreen.data.options import DataOptions, open_test_split
from mondegreen.errors import MondegreenError
from mondegreen.gan.validation import draw_targets

SAMPLES = 500


def clips(count: int) -> Tensor:
    return 0.1 * torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(5))


class Listener:
    """Remembers what it is asked; label 0 is never heard, but nearer to some waveform."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []
        random = torch.Generator().manual_seed(8)
        self.wanted = torch.randn(SAMPLES, generator=random) / SAMPLES**0.5

    def __call__(self, x: Tensor) -> Tensor:
        """Return a probability of label 0 that rises along a direction."""
        self.asked.append(x.clone())
        wanted = self.heard(x)
        return torch.stack([wanted, 1.0 - wanted], dim=1)

    def heard(self, x: Tensor) -> Tensor:
        """Return how much of the direction was added to the first clip that was asked about."""
        added = x[:, 0] - self.asked[0][0, 0]
        heard: Tensor = (0.25 + added @ self.wanted).clamp(0.0, 0.49)
        return heard


def started(budget: Budget | None, count: int = 2) -> tuple[Scores, Draws, Tensor]:
    x, target = clips(count), torch.zeros(count, dtype=torch.int64)
    return Scores(Listener(), x, target, budget), Draws(3, x, target), torch.arange(count)


@pytest.mark.parametrize("text", ["linf:0.004", "snr:20"])
def test_particles_are_drawn_evenly_within_the_bound(text: str) -> None:
    budget = parse_budget(text)
    scores, draws, rows = started(budget)
    attack = ParticleSwarm(particles=40)
    swarm = attack._drawn(scores, draws, rows)
    position = swarm.position[:, :, :SAMPLES]
    assert not bool(swarm.velocity.any())
    assert not bool(swarm.position[:, :, SAMPLES:].any())
    if isinstance(budget, Linf):
        assert 129.5 < float(position.abs().max()) <= 131
        assert float(position.std()) == pytest.approx(131 / 3**0.5, rel=0.02)
    else:
        norms = torch.linalg.vector_norm(position, dim=2)
        torch.testing.assert_close(norms, scores.room.bound[:, None].expand(-1, 40))
    unlike = torch.corrcoef(position.flatten(0, 1)) - torch.eye(80)
    assert float(unlike.abs().max()) < 0.25


def test_a_move_is_inertia_and_two_pulls() -> None:
    scores, draws, rows = started(Linf(0.5))
    attack = ParticleSwarm(particles=30, iterations=30, own=1.5, swarm=0.8, velocity=0.9)
    swarm = attack._drawn(scores, draws, rows)
    swarm.position *= 0.01  # far from the bound
    swarm.own = swarm.position + 50.0
    swarm.velocity = torch.full_like(swarm.velocity, 7.0)
    swarm.fitness = torch.rand(2, 30).double() + 10.0  # nothing that is asked will be better
    before, best = swarm.position.clone(), swarm.best()[0]
    attack._move(swarm, 8, scores, draws)
    inertia = 0.9 - 0.8 * 7 / 28
    moved = swarm.position - before
    torch.testing.assert_close(moved, swarm.velocity, atol=0.02, rtol=1e-4)
    pulls = (moved - inertia * 7.0)[:, :, :SAMPLES]
    low = (0.8 * (best - before)[:, :, :SAMPLES]).clamp_max(0.0)
    high = 1.5 * 50.0 + (0.8 * (best - before)[:, :, :SAMPLES]).clamp_min(0.0)
    assert bool((pulls >= low - 0.02).all())
    assert bool((pulls <= high + 0.02).all())
    expected = 1.5 * 50.0 / 2 + 0.8 * float((best - before)[:, :, :SAMPLES].mean()) / 2
    assert float(pulls.mean()) == pytest.approx(expected, rel=0.02)
    flat = pulls.flatten(0, 1)
    assert float((torch.corrcoef(flat) - torch.eye(60)).abs().mean()) < 0.2  # weights of their own


def test_velocity_and_position_are_bounded() -> None:
    scores, draws, rows = started(Linf(100 / 32_768))
    attack = ParticleSwarm(particles=5, velocity=0.1)
    swarm = attack._drawn(scores, draws, rows)
    swarm.fitness = torch.zeros(2, 5).double()
    swarm.velocity += 1e4
    attack._move(swarm, 1, scores, draws)
    assert float(swarm.velocity.abs().max()) == pytest.approx(20.0)  # of the 200 between the ends
    assert float(swarm.position.abs().max()) <= 100.0


def test_under_a_euclidean_budget_samples_move_as_far_as_four_times_their_share() -> None:
    scores, draws, rows = started(SNR(20.0))
    attack = ParticleSwarm(particles=5, velocity=0.1)
    swarm = attack._drawn(scores, draws, rows)
    swarm.fitness = torch.zeros(2, 5).double()
    swarm.velocity += 1e4
    attack._move(swarm, 1, scores, draws)
    fastest = 2.0 * 0.1 * 4.0 * scores.room.bound / SAMPLES**0.5
    torch.testing.assert_close(swarm.velocity.amax(dim=(1, 2)), fastest)


def test_the_last_move_has_the_final_inertia() -> None:
    scores, draws, rows = started(Linf(0.5))
    attack = ParticleSwarm(particles=3, iterations=30, own=1e-9, swarm=1e-9)
    swarm = attack._drawn(scores, draws, rows)
    swarm.velocity = torch.full_like(swarm.velocity, 100.0)
    swarm.fitness = torch.full((2, 3), 10.0).double()
    attack._move(swarm, 29, scores, draws)
    assert float(swarm.velocity.min()) == pytest.approx(10.0, rel=1e-4)
    assert float(swarm.velocity.max()) == pytest.approx(10.0, rel=1e-4)


def test_an_epoch_begins_where_the_last_one_was_best() -> None:
    scores, draws, rows = started(Linf(0.004))
    attack = ParticleSwarm(particles=4)
    swarm = attack._drawn(scores, draws, rows)
    swarm.fitness = torch.tensor([[0.1, 0.3, 0.2, 0.0], [0.4, 0.1, 0.2, 0.3]]).double()
    best, fitness = swarm.best()
    renewed = attack._renewed(swarm, scores, draws)
    assert torch.equal(renewed.position[:, :1], best)
    assert torch.equal(renewed.own[:, :1], best)
    assert torch.equal(renewed.fitness[:, :1], fitness)


@pytest.mark.parametrize("text", ["linf:0.004", "snr:20"])
def test_it_climbs_and_the_best_particle_is_carried_over(text: str) -> None:
    listener, x = Listener(), clips(1)
    attack = ParticleSwarm(particles=10, epochs=3, iterations=10)
    result = attack.against(listener, x, [0], budget=parse_budget(text))
    assert result.queries is not None
    # The best particle of an epoch is known already when the next one begins.
    assert result.queries.tolist() == [1 + 3 * 10 * 10 - 2]
    found = [listener.heard(part) for part in listener.asked]
    clean, first = float(found[0]), found[1]
    later = torch.cat(found[2:])
    assert float(first.max()) > clean
    assert float(later.max()) > float(first.max()) + 0.5 * (float(first.max()) - clean)
    assert float(result.logits.exp()[0, 0]) == pytest.approx(
        float(torch.cat(found).max()), abs=1e-6
    )
    assert [len(part) for part in found[10:13]] == [10, 9, 10]  # nine particles were drawn anew
    assert float(found[11].max()) < float(found[10].max())


def test_one_iteration_is_a_draw_only() -> None:
    listener = Listener()
    result = ParticleSwarm(particles=4, epochs=3, iterations=1).against(
        listener, clips(2), [0, 0], budget=SNR(20.0)
    )
    assert result.queries is not None
    assert result.queries.tolist() == [1 + 4 + 3 + 3] * 2


def test_what_makes_no_sense_is_refused() -> None:
    for options, message in (
        ({"particles": 1}, "particles is 1"),
        ({"epochs": 0}, "epochs is 0"),
        ({"iterations": 0}, "iterations is 0"),
        ({"own": -1.0}, "own is -1.0"),
        ({"velocity": 0.0}, "velocity is 0.0"),
        ({"inertia": 1.5}, "inertia is 1.5"),
        ({"final_inertia": float("nan")}, "final_inertia is nan"),
    ):
        with pytest.raises(MondegreenError, match=message):
            ParticleSwarm(**options)


def test_the_published_defaults() -> None:
    published = {"particles": 25, "epochs": 300, "iterations": 30, "own": 1.4961, "swarm": 1.4961}
    parameters = ParticleSwarm().parameters()
    assert published.items() <= parameters.items()
    assert (parameters["inertia"], parameters["final_inertia"]) == (0.9, 0.1)


def test_it_gets_on_with_the_shipped_spotter(real_data: Path) -> None:
    classifier = load_classifier("zoo:speech-commands")
    options = DataOptions(data=real_data / "speech_commands")
    shape = classifier.labels, classifier.sample_rate, classifier.clip_samples
    data = open_test_split(options, *shape, "validation")
    random = torch.Generator().manual_seed(1)
    x, label = data.sample(4, random)
    target = draw_targets(label, torch.arange(10), random)
    before = classifier(x).softmax(dim=1).gather(1, target[:, None]).log()
    attack = ParticleSwarm(queries=200, fitness="margin")
    result = attack(classifier, x, target, budget=SNR(5.0))
    after = result.logits.softmax(dim=1).gather(1, target[:, None]).log()
    assert float((after - before).median()) > 0.5
