"""Real codecs: MP3, Opus, AAC, and those of telephones, AMR and G.722."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mondegreen.audio import fit_length, resample
from mondegreen.channels.channel import Channel, pass_straight
from mondegreen.channels.coders import AAC, AMR, MP3, OPUS, Coder
from mondegreen.channels.coders import G722 as G722_CODER
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number
from mondegreen.errors import MondegreenError
from mondegreen.metrics.extras import require

AMR_MODES = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)
"""Bit rates of AMR in kilobits a second."""

_LEAD_SECONDS = 0.1  # of silence: a coder has begun before anybody speaks


@dataclass(frozen=True, kw_only=True)
class Codec(Channel):
    """Encode and decode each clip by a real codec (PyAV, FFmpeg); straight-through gradient.

    The codec's delay is taken out, and the length stays. Each clip is coded on its own, after some
    silence.

    Raises:
        MondegreenError: A setting is out of range, or PyAV is not installed (its extra is
            ``codecs``).
    """

    coder: ClassVar[Coder]
    limits: ClassVar[tuple[float, float]]
    """Of ``kbps``."""
    kbps: float
    """Kilobits a second."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number(self.coder.name, "kbps", self.kbps, *self.limits)
        require("av", "codecs")

    @property
    def straight_through(self) -> bool:
        """A codec has no gradient."""
        return True

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips as they are decoded."""
        with torch.no_grad():
            heard = torch.stack([self._code(clip, sample_rate) for clip in x[:, 0]])
        return pass_straight(x, heard[:, None].to(x))

    def _code(self, clip: Tensor, sample_rate: int) -> Tensor:
        from mondegreen.channels.codec_round_trip import round_trip  # needs an extra package

        rate = self.coder.rate_for(sample_rate)
        lead = round(_LEAD_SECONDS * sample_rate)
        led = torch.nn.functional.pad(clip.detach().cpu().float(), (lead, 0))
        sent = resample(led, sample_rate, rate).numpy()
        heard, out_rate = round_trip(sent, self.coder, rate, round(1000 * self.kbps))
        back = resample(torch.from_numpy(heard), out_rate, sample_rate)
        late = lead + round(self.coder.delay * sample_rate / rate)
        return fit_length(back[late:], len(clip))


@dataclass(frozen=True, kw_only=True)
class Mp3(Codec):
    """MP3 (LAME) at a constant bit rate; at 16 kHz it knows 8 to 160 kilobits a second."""

    coder: ClassVar[Coder] = MP3
    limits: ClassVar[tuple[float, float]] = (8.0, 320.0)
    kbps: float = 64.0


@dataclass(frozen=True, kw_only=True)
class Opus(Codec):
    """Opus (RFC 6716, libopus): calls and voice messages over the internet."""

    coder: ClassVar[Coder] = OPUS
    limits: ClassVar[tuple[float, float]] = (6.0, 256.0)
    kbps: float = 24.0


@dataclass(frozen=True, kw_only=True)
class Aac(Codec):
    """AAC-LC (FFmpeg's own encoder): video and streaming."""

    coder: ClassVar[Coder] = AAC
    limits: ClassVar[tuple[float, float]] = (8.0, 256.0)
    kbps: float = 64.0


@dataclass(frozen=True, kw_only=True)
class Amr(Codec):
    """AMR narrow-band (3GPP TS 26.071, OpenCORE) at 8 kHz: mobile telephones."""

    coder: ClassVar[Coder] = AMR
    limits: ClassVar[tuple[float, float]] = (4.75, 12.2)
    kbps: float = 12.2

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.kbps not in AMR_MODES:
            modes = ", ".join(f"{mode:g}" for mode in AMR_MODES)
            raise MondegreenError(f"channel amr: kbps is {self.kbps!r}; choose one of {modes}.")
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class G722(Codec):
    """ITU-T G.722 at 16 kHz: telephones with "HD voice"."""

    coder: ClassVar[Coder] = G722_CODER
    limits: ClassVar[tuple[float, float]] = (64.0, 64.0)
    kbps: float = 64.0
