from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from mondegreen.errors import MondegreenError
from mondegreen.weights import (
    build_described,
    fingerprint,
    load_weights,
    save_weights,
)


def network(width: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.PReLU())


def test_weights_and_statistics_return_bit_by_bit(tmp_path: Path) -> None:
    saved = network()
    saved(torch.randn(8, 2))
    save_weights(tmp_path / "new" / "w.safetensors", saved)
    loaded = network()
    load_weights(tmp_path / "new" / "w.safetensors", loaded)
    state = loaded.state_dict()
    assert state["1.num_batches_tracked"] == 1
    for name, tensor in saved.state_dict().items():
        assert torch.equal(state[name], tensor)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w.safetensors"]


def test_tensors_that_are_views_are_saved(tmp_path: Path) -> None:
    module = nn.Linear(4, 3, bias=False)
    module.weight = nn.Parameter(torch.arange(12.0).reshape(4, 3).T)
    save_weights(tmp_path / "w.safetensors", module)
    assert torch.equal(load_file(str(tmp_path / "w.safetensors"))["weight"], module.weight)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, network())
    before = path.read_bytes()

    def full(state: dict[str, torch.Tensor], name: str) -> None:
        Path(name).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mondegreen.weights.save_file", full)
    with pytest.raises(MondegreenError, match="No space left"):
        save_weights(path, network())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_named(value: float, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    for name in ("0.weight", "1.running_var", "2.weight"):
        state = {key: tensor.clone() for key, tensor in network().state_dict().items()}
        state[name].view(-1)[-1] = value
        save_file(state, str(path))
        with pytest.raises(MondegreenError, match=rf"w\.safetensors: the weights '{name}'"):
            load_weights(path, network())


def test_other_types_shapes_and_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, network())
    with pytest.raises(MondegreenError, match=r"w\.safetensors does not fit.*size mismatch"):
        load_weights(path, network(4))
    with pytest.raises(
        MondegreenError, match=r"weights '.*' are torch\.float32, not torch\.float64"
    ):
        load_weights(path, network().double())
    with pytest.raises(MondegreenError, match="does not fit"):
        load_weights(path, nn.Linear(2, 3))
    with pytest.raises(MondegreenError, match="does not exist"):
        load_weights(tmp_path / "absent", network())
    with pytest.raises(MondegreenError, match="does not exist"):
        load_weights(tmp_path, network())


def test_a_described_network_is_built_with_its_initial_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, network())
    torch.manual_seed(1)
    found = build_described(network, tmp_path / "d.json", path)
    torch.manual_seed(1)
    again = network().state_dict()
    assert torch.equal(found.state_dict()["0.weight"], again["0.weight"])


def test_a_network_larger_than_its_file_is_never_built(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, network())
    built = []

    def enormous() -> nn.Module:
        built.append(torch.empty(0).device.type)
        module = nn.Conv1d(10**6, 10**6, 9, device=None)
        nn.init.kaiming_normal_(module.weight)
        return module

    with pytest.raises(MondegreenError, match=r"d\.json: .*w\.safetensors is truncated or does"):
        build_described(enormous, tmp_path / "d.json", path)
    assert built == ["meta"]


@pytest.mark.parametrize(
    "error", [RuntimeError(), ValueError("x\ny"), TypeError("x"), OverflowError(), MemoryError()]
)
def test_a_network_that_cannot_be_built_is_an_error(error: Exception, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, network())

    def broken() -> nn.Module:
        raise error

    with pytest.raises(MondegreenError, match=r"d\.json: no network can be built so \(\w+\)"):
        build_described(broken, tmp_path / "d.json", path)
    with pytest.raises(MondegreenError, match="the weights are missing"):
        build_described(network, tmp_path / "d.json", tmp_path / "absent")


class Windowed(nn.Module):
    """Weights, and a window that is calculated."""

    window: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("window", torch.hann_window(16), persistent=False)


def test_last_bits_of_what_is_calculated_come_from_the_file(tmp_path: Path) -> None:
    """As if another processor had calculated the window."""
    path, theirs, ours, plain = tmp_path / "x.safetensors", Windowed(), Windowed(), Windowed()
    theirs.window[3] = torch.nextafter(theirs.window[3], torch.tensor(1.0))
    computed = tmp_path / "x.computed.safetensors"
    save_weights(path, theirs)
    load_weights(path, ours)
    assert fingerprint(ours, []) == fingerprint(theirs, [])
    computed.unlink()  # as files of earlier versions
    load_weights(path, plain)
    assert fingerprint(plain, []) != fingerprint(theirs, [])
    theirs.window[3] += 0.01
    save_weights(path, theirs)
    with pytest.raises(MondegreenError, match=r"x\.computed\.safetensors: 'window' holds other"):
        load_weights(path, ours)
    save_weights(path, nn.BatchNorm1d(2))  # which saves all of its buffers
    assert not computed.exists()
