from __future__ import annotations

import copy
import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional as F

from mondegreen.classifiers import training as module
from mondegreen.classifiers.accuracy import accuracy
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.loading import load_classifier
from mondegreen.classifiers.training import (
    ClassifierTraining,
    train_classifier,
)
from mondegreen.data.augment import Augment, AugmentConfig
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.noise import NoiseBank
from mondegreen.epochs import epoch_generator
from mondegreen.errors import MondegreenError
from mondegreen.interruption import Terminated
from mondegreen.runs import Run

SHORT = ClassifierTraining(
    epochs=2, batch_size=16, learning_rate=1e-2, augment=AugmentConfig(shift_seconds=0.02)
)


@pytest.fixture
def augment() -> Augment:
    """The changes that :data:`SHORT` asks for."""
    return Augment(SHORT.augment, 4000, NoiseBank([], 4000))


class Failing(Augment):
    """Does something else instead of changing clips, from the call number ``after`` on."""

    def __init__(self, inner: Augment, after: int, action: Any) -> None:
        super().__init__(inner.config, inner.sample_rate, inner.noise)
        self.calls, self.after, self.action = 0, after, action

    def __call__(self, x: Tensor, generator: torch.Generator, rows: slice = slice(None)) -> Tensor:
        self.calls += 1
        if self.calls > self.after:
            if isinstance(self.action, type):
                raise self.action
            x = x * self.action
        return super().__call__(x, generator, rows)


class Train(Protocol):
    """Trains in a folder; the same call continues there."""

    def __call__(
        self,
        folder: Path,
        changed: Augment | None = None,
        training: ClassifierTraining = SHORT,
        **changes: Any,
    ) -> Classifier: ...


@pytest.fixture
def train(
    splits: dict[str, ClipDataset], small_config: ClassifierConfig, augment: Augment
) -> Train:
    """The training of the small classifier on tones, perhaps with changes to its configuration."""

    def call(
        folder: Path,
        changed: Augment | None = None,
        training: ClassifierTraining = SHORT,
        **changes: Any,
    ) -> Classifier:
        config, run = replace(small_config, **changes), Run(folder, training)
        fabric = Fabric(accelerator="cpu", devices=1)
        return train_classifier(config, training, splits, changed or augment, run, fabric)

    return call


def state_of(folder: Path) -> Any:
    return torch.load(folder / "checkpoints" / "latest" / "state.pt", weights_only=True)


def rows_of(folder: Path) -> list[dict[str, float]]:
    """The metrics, without the time they took."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def same(a: Any, b: Any) -> bool:
    """Compare nested states bit by bit."""
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def mean_loss(classifier: Classifier, data: ClipDataset) -> float:
    classifier.eval()
    with torch.no_grad():
        return float(F.cross_entropy(classifier(data.waveforms()), data.labels))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs it trains the run that others are compared with."""
    return tmp_path_factory.mktemp("runs") / "uninterrupted"


@pytest.fixture
def reference(uninterrupted: Path, train: Train) -> Path:
    """The folder of a run of two epochs that nothing interrupted."""
    if not uninterrupted.exists():
        train(uninterrupted)
    return uninterrupted


def test_two_epochs_lower_the_loss(
    reference: Path, splits: dict[str, ClipDataset], small_config: ClassifierConfig
) -> None:
    torch.manual_seed(SHORT.seed)
    fresh = Classifier.from_config(small_config)
    trained = load_classifier(reference)
    rows = rows_of(reference)
    assert [row["step"] for row in rows] == [1, 2]
    assert rows[1]["classifier/loss"] < rows[0]["classifier/loss"]
    assert mean_loss(trained, splits["train"]) < 0.8 * mean_loss(fresh, splits["train"])
    measured = accuracy(trained, splits["validation"])
    assert measured == max(row["validation/accuracy"] for row in rows)


def test_the_best_classifier_is_returned_frozen(
    reference: Path, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.9, 0.1])
    monkeypatch.setattr(module, "accuracy", lambda *_, **__: next(scores))
    returned = train(tmp_path / "run")
    first_epoch = load_classifier(tmp_path / "run")
    assert returned.fingerprint() == first_epoch.fingerprint()
    assert not returned.training
    assert not any(parameter.requires_grad for parameter in returned.parameters())
    final = state_of(tmp_path / "run")
    assert same(final["classifier"], state_of(reference)["classifier"])
    assert not same(final["classifier"], first_epoch.module.state_dict())
    assert final["best_accuracy"] == 0.9


@pytest.mark.parametrize("calls", [0, 3, 7], ids=["at once", "in epoch 1", "in epoch 2"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    calls: int,
    reference: Path,
    train: Train,
    splits: dict[str, ClipDataset],
    augment: Augment,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    assert 3 < -(-len(splits["train"]) // SHORT.batch_size) < 7
    with pytest.raises(KeyboardInterrupt):
        train(folder, Failing(augment, calls, KeyboardInterrupt))
    torch.manual_seed(0)
    torch.rand(17)
    returned = train(folder)
    assert same(state_of(folder), state_of(reference))
    assert rows_of(folder) == rows_of(reference)
    weights = "checkpoints/best/classifier.safetensors"
    assert (folder / weights).read_bytes() == (reference / weights).read_bytes()
    assert returned.fingerprint() == load_classifier(reference).fingerprint()


@pytest.mark.parametrize("point", ["save_state", "log"])
def test_a_run_killed_while_it_writes_has_no_line_twice_and_none_missing(
    point: str, reference: Path, train: Train, tmp_path: Path
) -> None:
    folder, original, calls = tmp_path / "run", getattr(Run, point), 0

    def killed(self: Run, *arguments: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        original(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, point, killed)
        with pytest.raises(KeyboardInterrupt):
            train(folder)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "classifier/lo')
    train(folder)
    assert rows_of(folder) == rows_of(reference)
    assert same(state_of(folder), state_of(reference))


def test_a_finished_run_is_left_as_it_is(reference: Path, train: Train, augment: Augment) -> None:
    before = state_of(reference), (reference / "metrics.jsonl").read_text()
    train(reference, Failing(augment, 0, KeyboardInterrupt))
    assert same(state_of(reference), before[0])
    assert (reference / "metrics.jsonl").read_text() == before[1]


def test_a_nan_loss_ends_the_training_and_keeps_the_last_state(
    reference: Path, train: Train, augment: Augment, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(MondegreenError, match=r"loss became nan in epoch 2, step 3.*learning-rate"):
        train(folder, Failing(augment, 7, math.nan))
    assert state_of(folder)["step"] == 1
    assert [row["step"] for row in rows_of(folder)] == [1]
    assert load_classifier(folder).fingerprint()
    train(folder)
    assert same(state_of(folder), state_of(reference))


def test_weights_that_go_astray_in_an_epochs_last_step_are_not_kept(
    train: Train, tmp_path: Path
) -> None:
    """The loss of a step is finite though the weights after it are useless."""
    wild = replace(SHORT, batch_size=1000, learning_rate=1e30)
    with pytest.raises(MondegreenError, match=r"NaN or infinite.*learning-rate"):
        train(tmp_path / "run", None, wild)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_another_configuration_does_not_continue_a_run(
    reference: Path, train: Train, augment: Augment
) -> None:
    before = (reference / "metrics.jsonl").read_text()
    longer = replace(SHORT, epochs=3)
    with pytest.raises(MondegreenError, match=r"another configuration \(differs in: epochs\)"):
        train(reference, None, longer)
    assert (reference / "metrics.jsonl").read_text() == before


def test_a_state_of_another_network_is_named(
    reference: Path, train: Train, augment: Augment, tmp_path: Path
) -> None:
    run = Run(tmp_path / "run", SHORT)
    for state in ({"step": 1}, state_of(reference)):
        run.save_state(state)
        with pytest.raises(MondegreenError, match=r"state\.pt does not fit"):
            train(tmp_path / "run", labels=("a", "b", "c", "d"))


def test_accuracy_counts_hits_and_leaves_the_mode_alone(
    splits: dict[str, ClipDataset], small_config: ClassifierConfig
) -> None:
    data = splits["train"]
    classifier = Classifier.from_config(small_config).train()
    measured = accuracy(classifier, data, batch_size=7)
    assert classifier.training
    hits = classifier.eval()(data.waveforms()).argmax(dim=1) == data.labels
    assert measured == pytest.approx(hits.float().mean().item())


def test_epochs_are_seeded_apart() -> None:
    draws = set()
    for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        private = torch.rand(1, generator=epoch_generator(seed, epoch)).item()
        draws |= {private}
        assert torch.rand(1).item() == private
        assert torch.rand(1, generator=epoch_generator(seed, epoch)).item() == private
    assert len(draws) == 4


WRONG: list[tuple[str, Any]] = [
    *[("epochs", 0), ("batch_size", 0), ("learning_rate", 0.0), ("learning_rate", math.nan)],
    *[("weight_decay", -1.0), ("label_smoothing", 1.0), ("seed", -1)],
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_impossible_hyper_parameters_are_refused(name: str, value: Any) -> None:
    with pytest.raises(MondegreenError, match=name.replace("_", "-")):
        ClassifierTraining(**{name: value})


class Signalling(Augment):
    """Sends this process a signal at one call."""

    def __init__(self, inner: Augment, call: int, number: signal.Signals) -> None:
        super().__init__(inner.config, inner.sample_rate, inner.noise)
        self.left, self.number = call, number

    def __call__(self, x: Tensor, generator: torch.Generator, rows: slice = slice(None)) -> Tensor:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)
        return super().__call__(x, generator, rows)


@pytest.mark.parametrize("call", [1, 3, 7])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_and_loses_none(
    call: int,
    number: signal.Signals,
    reference: Path,
    train: Train,
    augment: Augment,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(Terminated if number == signal.SIGTERM else KeyboardInterrupt):
        train(folder, Signalling(augment, call, number))
    assert "stopping after this step" in capsys.readouterr().err
    assert steps_of(folder) == call
    torch.rand(17)
    counting = Failing(augment, 99, KeyboardInterrupt)
    train(folder, counting)
    assert counting.calls + call == steps_of(reference)  # none is repeated
    assert same(state_of(folder), state_of(reference))
    assert rows_of(folder) == rows_of(reference)


def steps_of(folder: Path) -> int:
    """How many steps were taken."""
    return int(state_of(folder)["scheduler"]["last_epoch"])


def test_a_long_epoch_is_saved_in_between(
    reference: Path,
    train: Train,
    augment: Augment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mondegreen.epochs.SAVE_SECONDS", 0.0)
    with pytest.raises(ZeroDivisionError):  # as sudden as a kill
        train(tmp_path / "run", Failing(augment, 3, ZeroDivisionError))
    assert steps_of(tmp_path / "run") == 3
    train(tmp_path / "run")
    assert same(state_of(tmp_path / "run"), state_of(reference))
    assert rows_of(tmp_path / "run") == rows_of(reference)


def test_a_nan_loss_names_the_step_and_its_clips(
    train: Train, augment: Augment, tmp_path: Path, splits: dict[str, ClipDataset]
) -> None:
    with pytest.raises(
        MondegreenError, match=r"became nan in epoch 1, step 3 \(16 clips: "
    ) as info:
        train(tmp_path / "run", Failing(augment, 2, float("nan")))
    random = epoch_generator(SHORT.seed, 0)
    batches = list(splits["train"].epoch(16, random))
    order = torch.randperm(len(splits["train"]), generator=epoch_generator(SHORT.seed, 0))
    names = splits["train"].names(order[32:48])
    assert all(name in str(info.value) for name in names[:4])
    assert torch.equal(batches[2][1], splits["train"].labels[order[32:48]])


class Crowded:
    """Has room for so many clips at once."""

    def __init__(self, clips: int) -> None:
        self.clips, self.refused = clips, 0

    def __call__(self, module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module.training and len(inputs[0]) > self.clips:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory.")


def test_a_batch_that_does_not_fit_makes_the_same_step_in_parts(
    small: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    random = torch.Generator().manual_seed(1)
    x, label = 0.3 * torch.randn(16, 1, 1024, generator=random), torch.arange(16) % 3
    for part in small.modules():  # it would see a part's statistics, and dropout other draws
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm | torch.nn.Dropout):
            part.eval()
    whole, parted = copy.deepcopy(small), copy.deepcopy(small)
    room = Crowded(5)
    parted.module.register_forward_pre_hook(room)
    parted.module.training = True
    fabric = Fabric(accelerator="cpu", devices=1)
    losses, states = [], []
    for classifier in (whole, parted):
        state = module._new_state(classifier, SHORT, steps=4)
        state.optimizer.param_groups[0]["eps"] = 1e-4  # or Adam turns rounding into signs
        losses.append(float(module._step(state, x, label, SHORT, fabric)))
        states.append(state)
    assert (room.refused, states[1].parts.count) == (2, 4)
    assert "worked off in 4 parts" in capsys.readouterr().err
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for one, other, before in zip(
        whole.parameters(), parted.parameters(), small.parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
        assert one.grad is None or not bool(one.grad.any()) or not torch.equal(one, before)


def test_a_batch_that_fits_in_no_way_is_an_error(train: Train, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "forward", _no_room)
        with pytest.raises(MondegreenError, match=r"16 clips does not fit.*not even in 8 parts"):
            train(tmp_path / "run")


def _no_room(*_: object) -> Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory.")
