"""What is added from outside takes one file, anywhere, and its mistakes are named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from mondegreen.budgets import SNR
from mondegreen.channels import parse_channel
from mondegreen.cli import main, train_generator
from mondegreen.errors import MondegreenError
from mondegreen.extensions import construct, find, parse_options
from mondegreen.generators.generator import Generator, GeneratorConfig
from mondegreen.generators.own import OwnConfig, build_own
from mondegreen.metrics.own import load_metrics, score

COVER = """
from dataclasses import dataclass
import mondegreen

@dataclass(frozen=True, kw_only=True)
class Louder(mondegreen.Channel):
    factor: float = 2.0

    def transform(self, x, sample_rate, streams):
        return self.factor * x
"""
NETWORK = """
import torch
from mondegreen.generators.own import OwnNetwork

class Copy(OwnNetwork):
    def __init__(self, *, targets, clip_samples, sign=1):
        super().__init__()
        self.level = torch.nn.Parameter(torch.full((targets,), float(sign)))

    def propose(self, x, target):
        return x * self.level[target][:, None, None]

class Told(OwnNetwork):
    def __init__(self, *, targets, clip_samples):
        super().__init__()

    def propose_within(self, x, target, snr_db):
        return 1e-4 * snr_db[:, None, None] * torch.arange(x.shape[2])

class Short(Told):
    def propose_within(self, x, target, snr_db):
        return x[..., :4]

class Idle(OwnNetwork):
    pass

class NoNetwork:
    pass
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes a module into the current folder, which Python does not know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])

    def write_module(name: str, code: str) -> None:
        Path(f"{name}.py").write_text(code)

    yield write_module
    for name in [name for name in sys.modules if name.startswith("outside_")]:
        del sys.modules[name]


def test_a_channel_joins_a_chain(write: Callable[[str, str], None]) -> None:
    write("outside_channels", COVER)
    x = torch.full((1, 1, 8), 0.1)
    channel = parse_channel("outside_channels:Louder:factor=3+gain:db=0")
    assert channel(x, sample_rate=8000).flatten().tolist() == pytest.approx([0.3] * 8)
    assert repr(parse_channel("outside_channels:Louder")) == "Louder(factor=2.0)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("outside_channels:Louder:level=3", "is no option=value .*factor=2"),
        ("outside_channels:Quieter", "cannot import Quieter"),
        ("outside_channels:dataclass", "is no mondegreen.Channel"),
        ("mp3:kbps", "is no option=value of mp3"),
    ],
)
def test_mistakes_about_channels(
    text: str, problem: str, write: Callable[[str, str], None]
) -> None:
    write("outside_channels", COVER)
    with pytest.raises(MondegreenError, match=problem):
        parse_channel(text)


def test_a_network_is_built_with_its_options(write: Callable[[str, str], None]) -> None:
    write("outside_networks", NETWORK)
    config = OwnConfig(place="outside_networks:Copy", options="sign=-1")
    with pytest.raises(MondegreenError, match="in a folder that PYTHONPATH names"):
        build_own(config, 2, 8)  # not from the current folder
    train_generator.find_own(config.place)  # but where the command line names it
    network = build_own(config, 2, 8)
    x = torch.ones(1, 1, 8)
    assert torch.equal(network(x, torch.tensor([1])), -x)
    with pytest.raises(MondegreenError, match=r"unexpected keyword argument 'depth'.*sign"):
        build_own(OwnConfig(place=config.place, options="depth=3"), 2, 8)
    with pytest.raises(MondegreenError, match=r"is no mondegreen\.generators\.own\.OwnNetwork"):
        build_own(OwnConfig(place="outside_networks:NoNetwork"), 2, 8)
    with pytest.raises(MondegreenError, match="write module:Class"):
        OwnConfig(place="copy")


def test_a_network_may_know_the_budget(write: Callable[[str, str], None]) -> None:
    write("outside_networks", NETWORK)
    train_generator.find_own("outside_networks:Told")

    def made(name: str) -> Generator:
        network = OwnConfig(place=f"outside_networks:{name}")
        labels = ("no", "yes")
        config = GeneratorConfig(
            network,
            labels,
            labels,
            classifier_name="none",
            classifier_fingerprint="0",
            sample_rate=8000,
            clip_samples=8,
            budget_db=None,
        )
        return Generator(config)

    x, target = torch.full((2, 1, 8), 0.5), torch.tensor([0, 1])
    generator = made("Told")
    assert generator(x, target)[:, 0, 1].tolist() == pytest.approx([0.002] * 2)  # as for 20 dB
    wanted = torch.tensor([12.0, 15.0])
    found = generator(x, target, snr_db=wanted)
    told = 1e-4 * wanted[:, None, None] * torch.arange(8)
    torch.testing.assert_close(found, SNR(0.0).project(x, told, db=wanted))
    with pytest.raises(MondegreenError, match=r"Short.* of shape \(2, 1, 4\) for clips of shape"):
        made("Short")(x, target)
    with pytest.raises(MondegreenError, match="neither propose nor propose_within"):
        made("Idle")


def test_an_unknown_network_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["train", "generator", "--network", "transformer"]) == 2
    assert "choose from: spectral, unet, or module:Class" in capsys.readouterr().err


def test_a_measure_returns_a_number_for_each_clip(write: Callable[[str, str], None]) -> None:
    write("outside_metrics", "def peak(x, y, rate):\n    return (y - x).abs().amax(dim=(1, 2))\n")
    metrics = load_metrics(["outside_metrics:peak"])
    x = torch.zeros(2, 1, 4)
    x_adv = torch.tensor([0.25, -0.5])[:, None, None].expand(2, 1, 4)
    found = score("peak", metrics["outside_metrics:peak"], x, x_adv, 8000)
    assert found.tolist() == [0.25, 0.5]
    with pytest.raises(MondegreenError, match=r"the shape \(\) for 2 clips"):
        score("mean", lambda x, y, rate: np.float64(1.0), x, x_adv, 8000)
    with pytest.raises(MondegreenError, match="write module:function"):
        load_metrics(["peak"])
    with pytest.raises(MondegreenError, match="is no function"):
        load_metrics(["math:pi"])


def test_a_broken_module_is_named_by_its_line(write: Callable[[str, str], None]) -> None:
    write("outside_broken", "x = 1\nx = y\n")
    with pytest.raises(MondegreenError, match=r"outside_broken.py, line 2: NameError"):
        find("outside_broken:x", "metric")


def test_options_are_read_by_their_form() -> None:
    assert parse_options("a=1,b=1.5,c=true,d=hum", "x") == {"a": 1, "b": 1.5, "c": True, "d": "hum"}
    for wrong in ("a", "a=", "a=1,a=2", "1=a"):
        with pytest.raises(MondegreenError, match="is no option=value, or is repeated"):
            parse_options(wrong, "x")


def test_a_refusing_constructor_is_an_error_of_the_user() -> None:
    with pytest.raises(MondegreenError, match="attack: invalid literal"):
        construct(_refuse, {"x": 1}, "attack")


def _refuse(x: int) -> int:
    raise ValueError(f"invalid literal {x}")
