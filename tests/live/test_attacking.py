"""One attack, with everything that is shown of it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.universal import UniversalAttack, UniversalPerturbation, describe_universal
from mondegreen.budgets import SNR
from mondegreen.errors import MondegreenError
from mondegreen.live.attacking import KINDS, Request, attack_clip, spec_text, warm_up
from mondegreen.live.clips import Clip
from mondegreen.live.models import LiveModel
from mondegreen.live.quality import Pesq


@pytest.fixture
def clip(voice: npt.NDArray[np.float64]) -> Clip:
    x = torch.zeros(1, 1, 16_384)
    x[..., : len(voice)] = torch.from_numpy(voice)
    return Clip(x, 0.0, 0.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("db", [15.0, 40.0])
def test_every_attack_keeps_the_budget_and_is_scored_as_written(
    kind: str, db: float, model: LiveModel, clip: Clip
) -> None:
    answer = attack_clip(model, clip, Request("stop", db, kind, steps=2))
    assert bool(SNR(db).satisfied(answer.x, answer.x_adv - answer.x).all())
    ratio = 10 * torch.log10(
        answer.x.double().square().sum() / (answer.x_adv - answer.x).double().square().sum()
    )
    assert answer.snr_db == pytest.approx(float(ratio), abs=1e-4)
    heard = model.classifier(answer.x_adv).softmax(dim=1)[0]
    assert torch.allclose(answer.after, heard, atol=1e-6)
    assert answer.success == (model.classifier.labels[int(heard.argmax())] == "stop")


def test_it_is_the_same_as_the_attack_by_hand(model: LiveModel, clip: Clip) -> None:
    answer = attack_clip(model, clip, Request("left", 20.0, "refined", 3, 0.5))
    attack = GeneratorAttack(generator=model.generator, refine=3, quietness=0.5)
    by_hand = attack(model.classifier, clip.x, ["left"], budget=SNR(20.0))
    assert torch.equal(answer.x_adv, by_hand.x_adv)
    assert answer.attack == "generator+3:quietness=0.5"
    assert answer.numbers()["attack"] == answer.attack


def test_quietness_is_asked_of_generators_that_know_it_only(model: LiveModel) -> None:
    request = Request("left", kind="pgd", quietness=0.5)
    assert spec_text(request, model) == "pgd:steps=10"
    assert spec_text(dataclasses.replace(request, kind="generator"), model).endswith("0.5")


def test_a_universal_attack_is_offered_where_there_is_one(model: LiveModel, clip: Clip) -> None:
    with pytest.raises(MondegreenError, match="no attack 'universal'"):
        attack_clip(model, clip, Request("left", kind="universal"))
    config = describe_universal(model.classifier, "perturbation", 20.0)
    noise = UniversalPerturbation(config).draw(torch.Generator().manual_seed(0))
    attack = UniversalAttack(perturbations=noise.requires_grad_(False))
    richer = dataclasses.replace(model, universal={"universal": attack})
    answer = attack_clip(richer, clip, Request("left", kind="universal"))
    assert answer.snr_db == pytest.approx(20.0, abs=0.05)


@pytest.mark.parametrize(
    "wrong",
    [{"snr_db": math.nan}, {"snr_db": 5}, {"steps": 0}, {"steps": 10**6}, {"quietness": math.inf}],
    ids=str,
)
def test_numbers_that_no_slider_gives_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(MondegreenError, match=next(iter(wrong))):
        Request("left", **wrong)  # type: ignore[arg-type]


def test_silence_and_unknown_targets_are_refused(model: LiveModel, clip: Clip) -> None:
    with pytest.raises(MondegreenError, match="silent"):
        attack_clip(model, Clip(torch.zeros_like(clip.x), 0.0, 0.5), Request("left"))
    with pytest.raises(MondegreenError, match="no target 'nonsense'"):
        attack_clip(model, clip, Request("nonsense"))


def test_pesq_is_that_of_the_package_and_survives_a_crash(model: LiveModel, clip: Clip) -> None:
    package = pytest.importorskip("pesq")
    from mondegreen.metrics.pesq import raw_pesq

    with Pesq(1) as pesq:
        warm_up([model], pesq)
        answer = attack_clip(model, clip, Request("stop"), pesq)
        x, x_adv = answer.x.flatten().numpy(), answer.x_adv.flatten().numpy()
        expected = float(raw_pesq(package.pesq(16_000, x, x_adv, "nb")))
        assert answer.pesq_nb == pytest.approx(expected, abs=1e-3)
        process = pesq._idle.get()
        assert process._process is not None
        process._process.kill()
        pesq._idle.put(process)
        assert pesq(answer.x, answer.x_adv, 16_000) is None
        assert pesq(answer.x, answer.x_adv, 16_000) == answer.pesq_nb
        assert pesq(torch.zeros(1, 1, 99), torch.zeros(1, 1, 99), 16_000) is None


def test_a_target_that_was_heard_before_is_needless(model: LiveModel, clip: Clip) -> None:
    heard = attack_clip(model, clip, Request("left")).heard_before
    answer = attack_clip(model, clip, Request(heard))
    assert answer.needless and answer.numbers()["needless"]
