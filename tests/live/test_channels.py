"""What a channel leaves of an attack."""

from __future__ import annotations

from threading import Event

import numpy as np
import numpy.typing as npt
import pytest
import torch

from mondegreen.channels import CHANNEL_EXAMPLES, Channel, parse_channel
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.live.attacking import Answer, Request, attack_clip
from mondegreen.live.channels import Channels
from mondegreen.live.clips import Clip
from mondegreen.live.models import LiveModel


@pytest.fixture(scope="module")
def answer(model: LiveModel, voice: npt.NDArray[np.float64]) -> Answer:
    x = torch.zeros(1, 1, 16_384)
    x[..., : len(voice)] = torch.from_numpy(voice)
    return attack_clip(model, Clip(x, 0.0, 0.5), Request("stop", 15.0, "pgd", 20))


def test_what_changes_nothing_leaves_the_attack(answer: Answer) -> None:
    assert answer.success
    (passage,) = Channels([("gain:db=0", "Nothing.")]).passages(answer, ["gain:db=0"], chain=False)
    assert passage.survives and passage.adversarial == "stop"
    assert passage.original == answer.heard_before
    assert passage.share == pytest.approx(100 * float(answer.after.max()), abs=1e-3)
    assert passage.about == "Nothing."


def test_what_silences_everything_ends_it(answer: Answer) -> None:
    (passage,) = Channels([("gain:db=-96", "")]).passages(answer, ["gain:db=-96"], chain=False)
    assert passage.original == passage.adversarial and not passage.survives


def test_both_clips_meet_the_same_noise(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    channels = Channels([("noise:snr_db=10", "")])
    through = channels._through

    def spy(text: str, x: torch.Tensor, rate: int) -> torch.Tensor:
        seen.append(through(text, x, rate) - x)
        return through(text, x, rate)

    monkeypatch.setattr(channels, "_through", spy)
    list(channels.passages(answer, ["noise:snr_db=10"], chain=False))
    shapes = [one / one.norm() for one in seen]  # its level follows the clip's
    assert float((shapes[0] * shapes[1]).sum()) > 0.999


def test_a_chain_is_one_channel_after_the_other(answer: Answer) -> None:
    examples = [("gain:db=-6", ""), ("lowpass:hz=3000", "")]
    (passage,) = Channels(examples).passages(answer, [text for text, _ in examples], chain=True)
    assert passage.channel == "gain:db=-6+lowpass:hz=3000"
    both = parse_channel(passage.channel)(answer.x_adv, sample_rate=16_000)
    shares = answer.model.classifier(both).softmax(dim=1)[0]
    assert passage.share == pytest.approx(100 * float(shares[8]), abs=1e-2)
    assert answer.model.classifier.labels[8] == "stop"


def test_a_missing_extra_is_told_and_the_others_stay(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(text: str) -> Channel:
        if text.startswith("mp3"):
            raise MissingExtraError("av", "codecs")
        return parse_channel(text)

    monkeypatch.setattr("mondegreen.live.channels.parse_channel", parse)
    channels = Channels()
    assert set(channels.unavailable) == {"mp3:kbps=64", "mp3:kbps=16"}
    assert "mondegreen[codecs]" in channels.unavailable["mp3:kbps=16"]
    assert len(channels.available) == len(CHANNEL_EXAMPLES) - 2
    (passage,) = channels.passages(answer, ["mp3:kbps=16"], chain=False)
    assert "codecs" in passage.reason and passage.track is None


def test_nobody_brings_a_channel_of_their_own(answer: Answer) -> None:
    channels = Channels([("gain:db=-6", "")])
    for wrong in ([], ["impulse:folder=secrets"], ["gain:db=-6", "gain:db=-7"]):
        with pytest.raises(MondegreenError, match=r"(Choose a|no) channel"):
            list(channels.passages(answer, wrong, chain=False))
    with pytest.raises(MondegreenError, match="in a row"):
        list(channels.passages(answer, ["gain:db=-6"] * 5, chain=True))


def test_warming_up_notes_what_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = Channels([("gain:db=-6", ""), ("resample:hz=8000", "")])
    channels.warm_up(16_000, Event())
    assert channels.unavailable == {}
    channels = Channels([("g722", ""), ("gain:db=-6", "")])

    def broken(*_: object, **__: object) -> torch.Tensor:
        raise MondegreenError("no coder")

    monkeypatch.setitem(channels._ready, "g722", broken)
    channels.warm_up(16_000, Event())
    assert channels.unavailable == {"g722": "no coder"}


def test_warming_up_stops_when_the_page_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    channels, ended, tried = Channels([("gain:db=0", ""), ("shift", "")]), Event(), list[str]()

    def through(text: str, x: torch.Tensor, rate: int) -> torch.Tensor:
        tried.append(text)
        ended.set()  # while the first one is at work
        return x

    monkeypatch.setattr(channels, "_through", through)
    channels.warm_up(16_000, ended)
    assert tried == ["gain:db=0"]
