"""Several classifiers as one: what it says can be worked out from what its members say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, predict
from mondegreen.classifiers.ensemble import (
    Combination,
    Ensemble,
    load_ensemble,
    members_of,
    read_members,
    save_ensemble,
)
from mondegreen.classifiers.features import LogMelConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.places import ensemble_file
from mondegreen.classifiers.tc_resnet import TCResNetConfig
from mondegreen.errors import MondegreenError

SAMPLES = 64


class Linear(nn.Module):
    """Logits are a product with a matrix."""

    matrix: Tensor

    def __init__(self, seed: int, scale: float) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(scale * torch.randn(SAMPLES, 3, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0] @ self.matrix


def linear(seed: int, scale: float = 1.0, **changes: Any) -> Classifier:
    about: dict[str, Any] = {
        "labels": ("a", "b", "c"),
        "sample_rate": 8000,
        "clip_samples": SAMPLES,
        "name": f"linear-{seed}",
    }
    return Classifier(Linear(seed, scale), **(about | changes)).freeze()


@pytest.fixture
def x() -> Tensor:
    return (0.3 * torch.randn(7, 1, SAMPLES, generator=torch.Generator().manual_seed(2))).clamp(
        -1, 1
    )


# ------------------------------------------------------------------ what it says


def test_logits_are_those_of_the_members_averaged(x: Tensor) -> None:
    members = [linear(1), linear(2, 3.0), linear(3)]
    together = Ensemble(members, combine="logits").freeze()
    mean = torch.stack([member(x) for member in members]).mean(dim=0)
    assert torch.allclose(together(x).softmax(dim=1), mean.softmax(dim=1), atol=1e-6)
    assert torch.equal(together(x).argmax(dim=1), mean.argmax(dim=1))
    # The cross-entropy asks every member alike: differences between labels are the means of theirs.
    apart = together(x)[:, 0] - together(x)[:, 1]
    assert torch.allclose(apart, mean[:, 0] - mean[:, 1], atol=1e-5)


def test_probabilities_are_those_of_the_members_averaged(x: Tensor) -> None:
    members = [linear(1), linear(2, 3.0), linear(3)]
    together = Ensemble(members).freeze()
    mean = torch.stack([predict(member, x) for member in members]).mean(dim=0)
    assert torch.allclose(together(x).exp(), mean, atol=1e-6)
    assert torch.allclose(predict(together, x), mean, atol=1e-6)


def test_one_that_is_very_sure_outvotes_the_others_by_logits_only() -> None:
    say = torch.tensor([[0.0, 100.0], [2.0, 0.0], [2.0, 0.0]])
    members = [
        Classifier(
            Says(row), labels=("a", "b"), sample_rate=8000, clip_samples=4, name="says"
        ).freeze()
        for row in say
    ]
    clip = torch.zeros(1, 1, 4)
    members[1].module.register_buffer("other", torch.tensor(1.0))  # so that no two are the same
    assert int(Ensemble(members, combine="logits")(clip).argmax()) == 1
    assert int(Ensemble(members)(clip).argmax()) == 0


class Says(nn.Module):
    """Says the same of every clip."""

    logits: Tensor

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.register_buffer("logits", logits)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand(len(x), -1)


@pytest.mark.parametrize("combine", ["probabilities", "logits"])
def test_gradients_reach_the_waveform_and_no_weights(x: Tensor, combine: Combination) -> None:
    together = Ensemble([linear(1), linear(2)], combine=combine).freeze()
    x.requires_grad_()
    loss = nn.functional.cross_entropy(together(x), torch.zeros(len(x), dtype=torch.long))
    (gradient,) = torch.autograd.grad(loss, x)
    assert bool((gradient.abs().amax(dim=(1, 2)) > 0).all())
    assert not any(weight.requires_grad for weight in together.parameters())
    assert not together.training and not any(one.training for one in together.members)


def test_a_search_against_all_fools_each_of_them(x: Tensor) -> None:
    members = [linear(seed) for seed in range(3)]
    together = Ensemble(members).freeze()
    target = (together(x).argmax(dim=1) + 1) % 3
    # A margin that is never reached: the search does not stop at the first success.
    attack = ProjectedGradient(steps=10, kappa=1e3)
    found = attack(together, x, target, budget=SNR(0.0))
    assert bool(found.success.all())
    for member in members:
        assert torch.equal(member(found.x_adv).argmax(dim=1), target)


def test_it_looks_like_a_classifier(x: Tensor) -> None:
    members = [linear(1), linear(2)]
    together = Ensemble(members).freeze()
    assert together.name == "ensemble-of-2"
    assert (together.labels, together.sample_rate) == (("a", "b", "c"), 8000)
    assert together.parameter_count() == 2 * 3 * SAMPLES
    assert members_of(together) == tuple(members) and members_of(members[0]) == (members[0],)
    with pytest.raises(MondegreenError, match="ensemble-of-2 expects"):
        together(x[..., 1:])


def test_the_fingerprint_knows_every_member_but_no_order() -> None:
    one, two, three = linear(1), linear(2), linear(3)
    print_ = Ensemble([one, two, three]).fingerprint()
    assert len(print_) == 16 and print_ == Ensemble([three, one, two]).fingerprint()
    others = [
        Ensemble([one, two]),
        Ensemble([one, two, linear(4)]),
        Ensemble([one, two, linear(3, 1.001)]),
        Ensemble([one, two, three], combine="logits"),
    ]
    assert len({print_, one.fingerprint(), *(other.fingerprint() for other in others)}) == 6


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"labels": ("a", "c", "b")}, r"differ in labels: a, b, c and a, c, b"),
        ({"sample_rate": 16_000}, "sample rate: 8000 and 16000"),
        ({"clip_samples": 65}, "clip samples: 64 and 65"),
        ({"normalization": "paper"}, "normalization: pcm and paper"),
    ],
)
def test_classifiers_that_differ_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=rf"number 3 \(linear-9\).*{named}"):
        Ensemble([linear(1), linear(2), linear(9, **changes)])


def test_too_few_the_same_twice_and_nesting_are_refused() -> None:
    with pytest.raises(MondegreenError, match="two or more classifiers, not 1"):
        Ensemble([linear(1)])
    with pytest.raises(MondegreenError, match="linear-1 is there twice"):
        Ensemble([linear(1), linear(2), linear(1)])
    with pytest.raises(MondegreenError, match="name its own members"):
        Ensemble([linear(1), Ensemble([linear(2), linear(3)])])


# ------------------------------------------------------------------ files


SMALL = ClassifierConfig(
    labels=("a", "b", "c"),
    front_end=LogMelConfig(
        sample_rate=4000, window=120, hop=60, fft=128, filters=12, high=1900.0, coefficients=10
    ),
    backbone=TCResNetConfig(width=0.25),
    sample_rate=4000,
    clip_samples=1024,
)


def save_small(folder: Path, seed: int, width: float = 0.25) -> None:
    torch.manual_seed(seed)
    config = replace(SMALL, backbone=TCResNetConfig(width=width))
    save_classifier(folder, Classifier.from_config(config).freeze(), config)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three saved classifiers of different weights and width."""
    root = tmp_path_factory.mktemp("members")
    for number in range(3):
        save_small(root / f"member-{number}", number, 0.25 + 0.25 * (number == 2))
    return [root / f"member-{number}" for number in range(3)]


@pytest.fixture
def saved(places: list[Path], tmp_path: Path) -> Path:
    together = Ensemble([load_classifier(place) for place in places], combine="logits")
    save_ensemble(tmp_path / "together", together, places)
    return tmp_path / "together"


def test_it_is_loaded_as_any_classifier(saved: Path, places: list[Path]) -> None:
    for name in (saved, str(saved), saved / "ensemble.json"):
        found = load_classifier(name)
        assert isinstance(found, Ensemble) and found.combine == "logits"
        assert not any(weight.requires_grad for weight in found.parameters())
    members = [load_classifier(place) for place in places]
    wanted = Ensemble(members, combine="logits").freeze()
    x = 0.2 * torch.randn(3, 1, 1024)
    assert found.fingerprint() == wanted.fingerprint() and torch.equal(found(x), wanted(x))
    assert [one.folder for one in read_members(saved / "ensemble.json").members] == places
    assert ensemble_file(places[0]) is None


def test_a_member_that_changed_or_is_gone_is_named(places: list[Path], tmp_path: Path) -> None:
    here = [tmp_path / place.name for place in places]
    for place, copy in zip(places, here, strict=True):
        shutil.copytree(place, copy)
    save_ensemble(tmp_path, Ensemble([load_classifier(place) for place in here]), here)
    save_small(here[1], 9)
    with pytest.raises(MondegreenError, match=r"member-1 was tc-resnet8-x0\.25 .*, and is .* now"):
        load_classifier(tmp_path)
    (here[1] / "classifier.json").unlink()
    with pytest.raises(MondegreenError, match=r"ensemble\.json.*cannot be loaded.*member-1"):
        load_classifier(tmp_path)


def change(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def edit(content: dict[str, Any]) -> None:
        content[key] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (change("combine", "votes"), "combine"),
        (change("members", []), "two or more classifiers"),
        (change("members", [{"folder": 3}]), "folder"),
        (change("more", 1), "unknown field 'more'"),
        (lambda content: content.pop("members"), "members"),
    ],
)
def test_damaged_files_are_named(
    saved: Path, edit: Callable[[dict[str, Any]], None], named: str
) -> None:
    path = saved / "ensemble.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(MondegreenError, match=named):
        load_classifier(saved)
    path.write_text("[]")
    with pytest.raises(MondegreenError, match="expected an object"):
        load_ensemble(path)


def test_a_file_that_lists_itself_is_refused(saved: Path) -> None:
    path = saved / "ensemble.json"
    content = json.loads(path.read_text())
    content["members"][0]["folder"] = str(saved)
    path.write_text(json.dumps(content))
    with pytest.raises(MondegreenError, match="is an ensemble, which cannot be a member"):
        load_classifier(saved)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_it_answers_on_cuda(x: Tensor) -> None:
    together = Ensemble([linear(1), linear(2)]).freeze()
    wanted = together(x)
    together.to("cuda")
    assert torch.allclose(together(x.cuda()).cpu(), wanted, atol=1e-4)
