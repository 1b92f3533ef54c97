"""Real codecs: MP3, Opus, AAC, and those of telephones, AMR and G.722."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from mondegreen.audio import fit_length, resample
from mondegreen.channels.channel import Channel, pass_straight
from mondegreen.channels.coders import AAC, AMR, MP3, OPUS, Coder
from mondegreen.channels.coders import G722 as G722_CODER
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number
from mondegreen.metrics.extras import require

_LEAD_SECONDS = 0.1  # of silence: a coder has begun before anybody speaks
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Codec(Channel):
    """Encode and decode each clip by a real codec (PyAV, FFmpeg); straight-through gradient.

    The codec's delay is measured once, by the cross-correlation of a test signal with what comes
    back, and taken out; the length stays. Each clip is coded on its own, after some silence.

    Raises:
        MondegreenError: A setting is out of range, or PyAV is not installed (its extra is
            ``codecs``).
    """

    coder: ClassVar[Coder]
    limits: ClassVar[tuple[float, float]]
    """Of ``kbps``."""
    kbps: float
    """Kilobits a second."""
    _delays: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)

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
        delay = self.delay(sample_rate)
        with torch.no_grad():
            heard = torch.stack([self._code(clip, sample_rate, delay) for clip in x[:, 0]])
        return pass_straight(x, heard[:, None].to(x))

    def delay(self, sample_rate: int) -> int:
        """Return by how many samples the codec is late, beyond the silence before a clip."""
        if sample_rate not in self._delays:
            probe = _probe(sample_rate)
            heard = self._decode(probe, sample_rate)
            lead = _lead(sample_rate)
            size = len(heard) + len(probe)
            product = torch.fft.rfft(heard, size) * torch.fft.rfft(probe, size).conj()
            late = int(torch.fft.irfft(product, size)[: lead + sample_rate].argmax())
            self._delays[sample_rate] = late - lead
        return self._delays[sample_rate]

    def _code(self, clip: Tensor, sample_rate: int, delay: int) -> Tensor:
        heard = self._decode(clip.detach().cpu().float(), sample_rate)
        return fit_length(heard[_lead(sample_rate) + delay :], len(clip))

    def _decode(self, clip: Tensor, sample_rate: int) -> Tensor:
        """Return what comes back of a clip and the silence before it, delay and all."""
        from mondegreen.channels.codec_round_trip import round_trip  # needs an extra package

        rate, bit_rate = self.coder.rate_for(sample_rate), round(1000 * self.kbps)
        led = torch.nn.functional.pad(clip, (_lead(sample_rate), 0))
        sent = resample(led, sample_rate, rate).numpy()
        heard, out_rate = round_trip(sent, self.coder, rate, bit_rate)
        return resample(torch.from_numpy(heard), out_rate, sample_rate)


def _lead(sample_rate: int) -> int:
    return round(_LEAD_SECONDS * sample_rate)


def _probe(sample_rate: int) -> Tensor:
    """Return a rising tone from 200 to 3,000 Hz that swells like syllables, ``(time,)``."""
    time = torch.arange(round(_PROBE_SECONDS * sample_rate), dtype=torch.float64) / sample_rate
    phase = 2.0 * torch.pi * (200.0 * time + 1400.0 * time.square() / _PROBE_SECONDS)
    swell = torch.sin(torch.pi * 4.0 * time / _PROBE_SECONDS).square()
    return (0.3 * swell * torch.sin(phase)).to(torch.float32)


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


@dataclass(frozen=True, kw_only=True)
class G722(Codec):
    """ITU-T G.722 at 16 kHz: telephones with "HD voice"."""

    coder: ClassVar[Coder] = G722_CODER
    limits: ClassVar[tuple[float, float]] = (64.0, 64.0)
    kbps: float = 64.0
