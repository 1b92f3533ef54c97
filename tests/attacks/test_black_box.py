"""What attacks by scores have in common: counting, budgets, stops, batches, any function."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import AttackResult
from mondegreen.attacks.black_box import BlackBoxAttack
from mondegreen.attacks.genetic import GeneticAttack
from mondegreen.attacks.particle_swarm import ParticleSwarm
from mondegreen.attacks.scores import CHUNK
from mondegreen.attacks.square import SquareAttack
from mondegreen.audio import Normalization, float_to_pcm16, quantize
from mondegreen.budgets import SNR, parse_budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.counting import CountedAttack

SAMPLES, LABELS = 200, 4
BUDGETS = ("snr:10", "snr:45", "l2:0.4", "linf:0.01", "linf:0.00004", None)


def attacks(**options: bool | int) -> list[BlackBoxAttack]:
    """Return one attack of each kind, small enough for a test."""
    return [
        GeneticAttack(population=6, iterations=8, mutation=0.02, **options),  # type: ignore[arg-type]
        ParticleSwarm(particles=5, epochs=3, iterations=4, **options),  # type: ignore[arg-type]
        SquareAttack(**{"queries": 40, **options}),  # type: ignore[arg-type]
    ]


each_attack = pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)


class Linear(nn.Module):
    """Logits are inner products with fixed waveforms, in float64; it counts the clips."""

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(3)
        self.register_buffer("weight", torch.randn(LABELS, SAMPLES, generator=random).double())
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))
        self.count, self.largest, self.tracked = 0, 0, False

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        self.count += len(x)
        self.largest = max(self.largest, len(x))
        self.tracked |= torch.is_grad_enabled()
        logits: Tensor = self.scale * (x[:, 0].double() @ self.weight.T)
        return logits


def linear(normalization: Normalization = "pcm") -> tuple[Classifier, Linear]:
    module = Linear()
    spotter = Classifier(
        module,
        labels=tuple("abcd"),
        sample_rate=8000,
        clip_samples=SAMPLES,
        name="linear",
        normalization=normalization,
    )
    return spotter.eval(), module


def clips(count: int, level: float = 0.1) -> Tensor:
    random = torch.Generator().manual_seed(5)
    return quantize(level * torch.randn(count, 1, SAMPLES, generator=random))


def wrong(spotter: Classifier, x: Tensor, step: int = 1) -> Tensor:
    with torch.no_grad():
        heard: Tensor = spotter(x).argmax(dim=1)
    return (heard + step) % LABELS


@pytest.mark.parametrize("normalization", ["pcm", "paper"])
@pytest.mark.parametrize("text", BUDGETS)
@each_attack
def test_budgets_are_kept_and_what_is_judged_is_what_the_file_holds(
    attack: BlackBoxAttack, text: str | None, normalization: Normalization
) -> None:
    spotter, _ = linear(normalization)
    silence = quantize(torch.zeros(1, 1, SAMPLES), normalization)
    x = quantize(torch.cat([clips(2), clips(2, 0.7), silence]).clamp(-1.0, 1.0), normalization)
    target = wrong(spotter, x)
    budget = None if text is None else parse_budget(text)
    found = attack.search(spotter, x, target, budget)
    result = attack(spotter, x, target, budget=budget)
    asked = float_to_pcm16(x + found.delta, normalization)
    held = float_to_pcm16(result.x_adv, normalization)
    assert torch.equal(asked, held)  # rounding had nothing left to do
    assert torch.equal(result.x_adv, quantize(result.x_adv, normalization))
    moved = result.x_adv - x
    if budget is None:
        assert float(moved.abs().max()) <= 255.01 / 32_767
    else:
        assert bool((budget.norm(moved) <= budget.bound(x)).all())
    against = attack.against(
        lambda y: spotter(y).softmax(dim=1), x, target, budget=budget, normalization=normalization
    )
    assert torch.equal(against.x_adv, result.x_adv)
    assert torch.equal(against.success, result.success)


@each_attack
def test_queries_are_counted_exactly_and_no_gradient_is_touched(attack: BlackBoxAttack) -> None:
    spotter, module = linear()
    x = clips(5, 0.02)
    target = wrong(spotter, x)
    module.count, module.tracked = 0, False
    found = attack.search(spotter, x, target, SNR(14.0))
    assert found.gradients is None
    assert found.queries is not None
    assert int(found.queries.sum()) == module.count
    assert not module.tracked
    assert module.scale.grad is None
    assert not found.delta.requires_grad
    counted = CountedAttack(attack)
    counted.search(spotter, x, target, SNR(14.0))
    assert counted.queries == int(found.queries.sum())
    assert counted.gradients == 0


@each_attack
def test_each_clip_stops_as_soon_as_it_is_heard(attack: BlackBoxAttack) -> None:
    spotter, _ = linear()
    x = clips(8, 0.01)
    target = wrong(spotter, x)
    target[7] = spotter(x[7:]).argmax(dim=1)[0]  # heard already
    result = attack(spotter, x, target, budget=SNR(6.0))
    assert result.queries is not None
    assert int(result.queries[7]) == 1
    assert torch.equal(result.x_adv[7], x[7])
    heard, others = result.queries[result.success], result.queries[~result.success]
    assert len(torch.unique(others)) == 1  # all that there is
    assert len(torch.unique(heard)) > 2
    assert bool((heard <= others[0]).all())


@each_attack
def test_clips_do_not_depend_on_their_batch_nor_on_earlier_calls(attack: BlackBoxAttack) -> None:
    spotter, _ = linear()
    x = torch.cat([clips(5, 0.03), torch.zeros(1, 1, SAMPLES)])
    target = wrong(spotter, x)
    together = attack(spotter, x, target, budget=SNR(12.0))
    again = attack(spotter, x, target, budget=SNR(12.0))
    assert torch.equal(together.x_adv, again.x_adv)
    assert together.queries is not None
    for row in range(len(x)):
        alone = attack(spotter, x[row : row + 1], target[row : row + 1], budget=SNR(12.0))
        assert torch.equal(alone.x_adv[0], together.x_adv[row])
        assert alone.queries is not None
        assert int(alone.queries) == int(together.queries[row])


@pytest.mark.parametrize("limit", [1, 2, 17, 23])
@pytest.mark.parametrize("index", range(3))
def test_the_limit_of_queries_is_kept_and_used(limit: int, index: int) -> None:
    attack = attacks(queries=limit)[index]
    spotter, _ = linear()
    x = clips(3)
    result = attack(spotter, x, wrong(spotter, x), budget=SNR(70.0))
    assert result.queries is not None
    assert result.queries.tolist() == [limit] * 3


@each_attack
def test_a_silent_clip_costs_nothing_under_an_snr_budget_and_moves_under_others(
    attack: BlackBoxAttack,
) -> None:
    spotter, module = linear()
    x, target = torch.zeros(2, 1, SAMPLES), torch.tensor([1, 2])
    module.count = 0
    found = attack.search(spotter, x, target, SNR(20.0))
    assert module.count == 0
    assert found.queries is not None
    assert found.queries.tolist() == [0, 0]
    assert not bool(found.delta.any())
    judged = attack.against(lambda y: spotter(y).softmax(dim=1), x, target, budget=SNR(20.0))
    assert judged.queries is not None
    assert judged.queries.tolist() == [1, 1]  # of what else could it tell
    assert judged.success.tolist() == [False, False]
    for text in ("l2:0.5", "linf:0.01"):
        assert bool(attack(spotter, x, target, budget=parse_budget(text)).success.all())


@pytest.mark.parametrize("index", range(3))
def test_untargeted_attacks_get_away_from_a_label(index: int) -> None:
    attack = attacks(untargeted=True)[index]
    spotter, _ = linear()
    x = clips(6, 0.01)
    label = wrong(spotter, x, 0)
    label[0] = (label[0] + 1) % LABELS
    result = attack(spotter, x, label, budget=SNR(6.0))
    assert result.queries is not None
    assert int(result.queries[0]) == 1
    assert float(result.success.double().mean()) > 0.5
    assert torch.equal(result.success, result.logits.argmax(dim=1) != label)


@each_attack
def test_any_function_of_arrays_will_do(attack: BlackBoxAttack) -> None:
    spotter, module = linear()
    weight = module.weight.numpy()
    asked = []

    def remote(x: Tensor) -> npt.NDArray[np.float64]:
        y = np.asarray(x)
        assert y.shape[1:] == (1, SAMPLES)
        assert np.array_equal(y * 32_768, np.rint(y * 32_768))  # as a file holds it
        asked.append(len(y))
        logits = y[:, 0].astype(np.float64) @ weight.T
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    x = clips(4, 0.02)
    target = wrong(spotter, x)
    result = attack.against(remote, x, target.tolist(), budget=SNR(12.0))
    assert isinstance(result, AttackResult)
    assert result.queries is not None
    assert sum(asked) == int(result.queries.sum())
    expected = spotter(result.x_adv).detach().log_softmax(dim=1)
    torch.testing.assert_close(result.logits.double(), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(result.success, expected.argmax(dim=1) == target)


@each_attack
def test_inside_inference_mode(attack: BlackBoxAttack) -> None:
    spotter, _ = linear()
    x = clips(2)
    target = wrong(spotter, x)
    plain = attack.search(spotter, x, target, SNR(12.0))
    with torch.inference_mode():
        inferred = attack.search(spotter, x.clone(), target.clone(), SNR(12.0))
        clip, label = x.clone(), target.clone()
    assert torch.equal(plain.delta, inferred.delta)
    assert torch.equal(attack.search(spotter, clip, label, SNR(12.0)).delta, plain.delta)


@each_attack
def test_no_clips_are_no_problem(attack: BlackBoxAttack) -> None:
    spotter, _ = linear()
    none = torch.zeros(0, 1, SAMPLES)
    result = attack(spotter, none, torch.zeros(0, dtype=torch.int64), budget=SNR(20.0))
    assert result.x_adv.shape == none.shape


def test_the_classifier_is_never_given_more_than_a_chunk() -> None:
    spotter, module = linear()
    x = clips(CHUNK + 50)
    target = wrong(spotter, x)
    for attack, count in (
        (GeneticAttack(population=20, iterations=2), 30),
        (GeneticAttack(population=CHUNK + 50, iterations=2), 2),
        (SquareAttack(queries=2), CHUNK + 50),
    ):
        module.largest = 0
        attack.search(spotter, x[:count], target[:count], SNR(60.0))
        assert CHUNK // 2 < module.largest <= CHUNK


def test_calls_that_make_no_sense_are_refused() -> None:
    attack, x = SquareAttack(), torch.zeros(2, 1, 9)
    for shape, target in ((x, [1]), (x[0], [1, 1]), (x, [1, -1])):
        with pytest.raises(MondegreenError, match="square: waveforms of shape"):
            attack.against(lambda x: x[:, 0], shape, target, budget=None)
    for made in (GeneticAttack, ParticleSwarm, SquareAttack):
        with pytest.raises(MondegreenError, match="queries is 0"):
            made(queries=0)
        with pytest.raises(MondegreenError, match="fitness is 'loss'"):
            made(fitness="loss")  # type: ignore[arg-type]


@each_attack
def test_name_and_parameters(attack: BlackBoxAttack) -> None:
    parameters = attack.parameters()
    assert {"seed", "queries", "untargeted", "fitness"} <= parameters.keys()
    assert type(attack)(**parameters).parameters() == parameters
    assert repr(attack) == repr(type(attack)(**parameters))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@each_attack
def test_the_search_runs_on_cuda(attack: BlackBoxAttack) -> None:
    spotter, _ = linear()
    x = clips(3, 0.02)
    target = wrong(spotter, x)
    expected = attack(spotter, x, target, budget=SNR(12.0))
    result = attack(spotter.cuda(), x.cuda(), target.cuda(), budget=SNR(12.0))
    assert result.x_adv.is_cuda
    torch.testing.assert_close(result.x_adv.cpu(), expected.x_adv)  # the same draws everywhere
