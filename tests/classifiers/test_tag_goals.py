"""A tagger with goals: margins, the truth table, gradients, thresholds, files."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mondegreen.attacks.gradient import ProjectedGradient
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.defended import parse_defence, save_defended
from mondegreen.classifiers.ensemble import Ensemble
from mondegreen.classifiers.goals_file import load_tagger, read_goals, save_goals
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.tag_goals import TagGoals, goals_of, one_a_tag
from mondegreen.data.goals import Goal
from mondegreen.errors import MondegreenError

TAGS = ("rain", "dog", "sea")
SAMPLES = 48


class Heard(nn.Module):
    """The first samples of a clip are its log-odds."""

    def __init__(self, tags: int = 3, gain: float = 10.0) -> None:
        super().__init__()
        self.tags = tags
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x[:, 0, : self.tags]


def tagger(gain: float = 10.0) -> Classifier:
    return Classifier(
        Heard(gain=gain), labels=TAGS, sample_rate=8000, clip_samples=SAMPLES, name="heard"
    ).freeze()


def clips(*log_odds: tuple[float, float, float]) -> Tensor:
    """Clips in which the tags are heard with these log-odds."""
    x = torch.zeros(len(log_odds), 1, SAMPLES)
    x[:, 0, :3] = torch.tensor(log_odds) / 10
    return x


# ------------------------------------------------------------------ what it says


def test_logits_are_margins_worked_out_by_hand() -> None:
    goals = TagGoals(tagger(), ["+rain", "hush=-dog-sea", "+sea-rain"])
    assert goals.labels == ("none", "+rain", "hush", "+sea-rain")
    found = goals(clips((2.0, -1.0, -3.0), (-4.0, 5.0, 0.5)))
    wanted = [[0.0, 2.0, 1.0, -3.0], [0.0, -4.0, -5.0, 0.5]]
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-5)


def test_thresholds_move_the_margins() -> None:
    goals = TagGoals(tagger(), ["+rain-dog"], {"rain": 0.9, "dog": 0.2})
    level = math.log(0.9 / 0.1), math.log(0.2 / 0.8)
    found = goals(clips((3.0, -2.0, 0.0), (2.0, -2.0, 0.0)))
    wanted = [[0.0, min(3 - level[0], level[1] + 2)], [0.0, min(2 - level[0], level[1] + 2)]]
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-5)
    assert found.argmax(dim=1).tolist() == [1, 0]  # a probability of 0.88 is below 0.9


EVERY = [
    Goal(
        tuple(tag for tag, sign in zip(TAGS, signs, strict=True) if sign > 0),
        tuple(tag for tag, sign in zip(TAGS, signs, strict=True) if sign < 0),
    )
    for signs in itertools.product((-1, 0, 1), repeat=3)
    if any(signs)
]


@pytest.mark.parametrize("goal", EVERY, ids=lambda goal: goal.text)
def test_the_argmax_is_the_truth_table(goal: Goal) -> None:
    goals = TagGoals(tagger(), [goal], (0.5, 0.3, 0.8))
    levels = [math.log(t / (1 - t)) for t in (0.5, 0.3, 0.8)]
    for on in itertools.product((False, True), repeat=3):
        heard = [level + (0.7 if one else -0.7) for level, one in zip(levels, on, strict=True)]
        found = int(goals(clips((heard[0], heard[1], heard[2]))).argmax())
        tags = {tag for tag, one in zip(TAGS, on, strict=True) if one}
        assert found == int(goal.met_by(tags)), (goal, on)


def test_of_several_goals_that_are_met_the_clearest_wins() -> None:
    goals = TagGoals(tagger(), ["+rain", "+dog", "+sea"])
    assert goals(clips((1.0, 2.0, 0.0), (3.0, 2.0, 0.0))).argmax(dim=1).tolist() == [2, 1]


def test_gradients_reach_the_worst_tag() -> None:
    goals = TagGoals(tagger(), ["+rain-dog"]).freeze()
    x = clips((-2.0, 1.0, 0.0), (-1.0, 2.0, 0.0)).requires_grad_()
    goals(x)[:, 1].sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad[:, 0, :3], torch.tensor([[10.0, 0, 0], [0, -10.0, 0]]))
    assert float(x.grad[:, 0, 3:].abs().max()) == 0.0


def test_gradient_search_switches_tags() -> None:
    goals = TagGoals(tagger(), ["+rain", "hush=-dog-sea"]).freeze()
    x = clips((-0.3, 1.0, 1.0), (-0.5, -1.0, 1.0))
    found = ProjectedGradient(steps=30)(goals, x, torch.tensor([1, 2]), budget=SNR(0.0))
    heard = goals.tagger(found.x_adv)
    assert float(heard[0, 0]) > 0 and bool((heard[1, 1:] < 0).all())


def test_it_keeps_what_the_tagger_is() -> None:
    answers = Classifier(
        Heard(),
        labels=TAGS,
        sample_rate=11_025,
        clip_samples=SAMPLES,
        name="answers",
        normalization="paper",
        differentiable=False,
    )
    goals = TagGoals(answers, ["+rain"])
    kept = (goals.sample_rate, goals.clip_samples, goals.normalization, goals.differentiable)
    assert kept == (11_025, SAMPLES, "paper", False)
    assert goals.name == "answers-goals" and goals.tagger is answers
    assert goals_of(goals) == ("+rain",) and goals_of(answers) == ()


def test_the_fingerprint_tells_goals_taggers_and_thresholds_apart() -> None:
    prints = [
        TagGoals(tagger(), ["+rain"]).fingerprint(),
        TagGoals(tagger(), ["wet=+rain"]).fingerprint(),
        TagGoals(tagger(), ["-rain"]).fingerprint(),
        TagGoals(tagger(), ["a=+rain"]).fingerprint(),
        TagGoals(tagger(), ["a=+dog"]).fingerprint(),
        TagGoals(tagger(), ["+rain"], 0.4).fingerprint(),
        TagGoals(tagger(2.0), ["+rain"]).fingerprint(),
        tagger().fingerprint(),
    ]
    assert len(set(prints)) == len(prints)
    assert TagGoals(tagger(), ["+rain"], (0.5, 0.5, 0.5)).fingerprint() == prints[0]


# ------------------------------------------------------------------ what is refused


def test_goals_that_do_not_fit_are_refused() -> None:
    with pytest.raises(MondegreenError, match=r"heard has no tag 'wind'; it knows: rain, dog, sea"):
        TagGoals(tagger(), ["+wind"])
    with pytest.raises(MondegreenError, match="no goals"):
        TagGoals(tagger(), [])
    with pytest.raises(MondegreenError, match="want the same"):
        TagGoals(tagger(), ["+rain", "a=+rain"])


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        (0.0, "the threshold of rain is 0.0"),
        (1.5, "the threshold of rain is 1.5"),
        (float("nan"), "the threshold of rain is nan"),
        ((0.5, 0.5), "2 thresholds are given for 3 tags"),
        ({"wind": 0.5}, "thresholds name the tags wind"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(
    thresholds: float | tuple[float, ...] | dict[str, float], message: str
) -> None:
    with pytest.raises(MondegreenError, match=message):
        one_a_tag(TAGS, thresholds)


def test_a_model_of_one_label_a_clip_is_no_tagger() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(800, 3), nn.Softmax(dim=1))
    shape = {"labels": TAGS, "sample_rate": 8000, "clip_samples": 800}
    with pytest.raises(MondegreenError, match="exclude each other"):
        TagGoals(Classifier.from_module(module, **shape), ["+rain"])  # type: ignore[arg-type]
    module[2] = nn.Sigmoid()
    adopted = Classifier.from_module(module, output="sigmoid", **shape)  # type: ignore[arg-type]
    x = 0.1 * torch.randn(4, 1, 800, generator=torch.Generator().manual_seed(0))
    heard = TagGoals(adopted, ["+rain"])(x).argmax(dim=1).bool()
    assert torch.equal(heard, module(x)[:, 0] > 0.5)


# ------------------------------------------------------------------ files


@pytest.fixture
def spotter(small: Classifier, small_config: ClassifierConfig, tmp_path: Path) -> Path:
    save_classifier(tmp_path / "tagger", small, small_config)
    return tmp_path / "tagger"


@pytest.fixture
def goals(spotter: Path, tmp_path: Path) -> Path:
    made = TagGoals(load_tagger(spotter), ["+low", "hush=-high-middle"], (0.3, 0.5, 0.6))
    save_goals(tmp_path / "goals", spotter, made)
    return tmp_path / "goals"


def change(folder: Path, **changes: object) -> None:
    path = folder / "goals.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_saved_is_loaded(goals: Path, small: Classifier) -> None:
    x = 0.3 * torch.randn(3, 1, 1024, generator=torch.Generator().manual_seed(3))
    for place in (goals, goals / "goals.json"):
        found = load_classifier(place)
        assert isinstance(found, TagGoals) and found.labels == ("none", "+low", "hush")
        again = TagGoals(small, ["+low", "hush=-high-middle"], (0.3, 0.5, 0.6))
        assert torch.equal(found(x), again(x)) and found.fingerprint() == again.fingerprint()
        assert not any(parameter.requires_grad for parameter in found.parameters())


def test_another_tagger_is_noticed(goals: Path, small_config: ClassifierConfig) -> None:
    other = Classifier.from_config(small_config)
    save_classifier(goals.parent / "tagger", other, small_config)
    with pytest.raises(MondegreenError, match="make the goals anew"):
        load_classifier(goals)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"goals": ["+wind"]}, r"goals\.json: the goal \+wind: .* has no tag 'wind'"),
        ({"goals": ["low"]}, r"goals\.json: the goal 'low' is not understood"),
        ({"goals": "+low"}, r"goals\.json"),
        ({"thresholds": [0.5]}, r"goals\.json: 1 thresholds are given for 3 tags"),
        ({"thresholds": [0.5, 0.5, 2]}, r"goals\.json: the threshold of middle is 2"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_damaged_file_is_refused(goals: Path, changes: dict[str, object], message: str) -> None:
    change(goals, **changes)
    with pytest.raises(MondegreenError, match=message):
        load_classifier(goals)


def test_a_file_starts_no_program(goals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a Python file nor an address; the user has to adopt them first."""
    (goals.parent / "own.py").write_text("raise SystemExit('it ran')")
    monkeypatch.chdir(goals.parent)
    for place in ("own.py:build", "https://example.org/hear"):
        change(goals, tagger=place)
        with pytest.raises(MondegreenError, match="Files never start programs"):
            load_classifier(goals)
        with pytest.raises(MondegreenError, match="Files never start programs"):
            save_goals(goals, Path(place), TagGoals(tagger(), ["+rain"]))
        with pytest.raises(MondegreenError, match="Adopt the tagger first"):
            load_tagger(Path(place))


def test_goals_stand_directly_before_their_tagger(goals: Path, spotter: Path) -> None:
    change(goals, tagger=str(goals))  # it would open itself for ever
    with pytest.raises(MondegreenError, match="is goals already; name its tagger"):
        load_classifier(goals)
    defended = goals.parent / "defended"
    save_defended(defended, spotter, parse_defence("quantize:bits=8"), seed=1)
    change(goals, tagger=str(defended))
    with pytest.raises(MondegreenError, match="make the goals first, then defend them"):
        load_classifier(goals)
    (goals.parent / "ensemble.json").write_text("{}")
    change(goals, tagger=str(goals.parent))
    with pytest.raises(MondegreenError, match="is an ensemble"):
        load_classifier(goals)


def test_goals_can_be_defended_and_join_an_ensemble(goals: Path) -> None:
    save_defended(goals.parent / "defended", goals, parse_defence("quantize:bits=16"), seed=1)
    defended, plain = load_classifier(goals.parent / "defended"), load_classifier(goals)
    x = 0.3 * torch.randn(5, 1, 1024, generator=torch.Generator().manual_seed(4))
    assert torch.allclose(defended(x), plain(x), atol=1e-2)
    assert goals_of(defended) == goals_of(plain) == ("+low", "hush=-high-middle")
    other = TagGoals(load_tagger(goals.parent / "tagger"), ["+low", "hush=-high-middle"])
    assert Ensemble([plain, other])(x).shape == (5, 3)


def test_the_file_says_what_it_is(goals: Path, spotter: Path) -> None:
    config = read_goals(goals / "goals.json")
    assert config.tagger == spotter and config.goals == ("+low", "hush=-high-middle")
    assert config.thresholds == (0.3, 0.5, 0.6)
