"""A clip through a real encoder and decoder, packet by packet, by PyAV (FFmpeg)."""

from __future__ import annotations

import fractions
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from mondegreen.channels.coders import Coder
from mondegreen.errors import MondegreenError

Floats = npt.NDArray[np.float32]

_AFTER = 4  # frames of silence that push the last samples out


def round_trip(x: Floats, coder: Coder, rate: int, bit_rate: int) -> tuple[Floats, int]:
    """Return what the decoder makes of a clip, late by the codec's delay, and its sample rate.

    Args:
        x: Samples in [-1, 1], ``(time,)``.
        coder: The codec.
        rate: Sample rate in Hz.
        bit_rate: In bits a second.

    Raises:
        MondegreenError: The codec refuses the rate or the bit rate, or is not there.
    """
    try:
        return _round_trip(x, coder, rate, bit_rate)
    except av.codec.codec.UnknownCodecError as error:
        raise MondegreenError(
            f"channel {coder.name}: this build of PyAV has no coder {error}; another version of it "
            "may have."
        ) from error
    except (av.FFmpegError, ValueError) as error:
        raise MondegreenError(
            f"channel {coder.name}: {bit_rate} bits a second at {rate} Hz failed ({error}); choose "
            "another kbps."
        ) from error


def _round_trip(x: Floats, coder: Coder, rate: int, bit_rate: int) -> tuple[Floats, int]:
    encoder = av.CodecContext.create(coder.encoder, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", coder.sample_format
    encoder.thread_count = 1
    encoder.bit_rate = bit_rate
    encoder.open()
    decoder = av.CodecContext.create(coder.decoder, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout, decoder.thread_count = rate, "mono", 1
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    heard: list[Floats] = []
    rates: set[int] = set()

    def decode(packet: av.Packet[Any] | None) -> None:
        for frame in decoder.decode(packet):
            rates.add(frame.sample_rate)
            heard.append(_floats(frame.to_ndarray()))

    _encode(x, encoder, coder.sample_format, decode)
    decode(None)
    return np.concatenate(heard), rates.pop()


def _encode(
    x: Floats,
    encoder: av.AudioCodecContext,
    sample_format: str,
    send: Callable[[av.Packet[Any]], None],
) -> None:
    """Encode a clip and the silence that follows, frame by frame."""
    size = encoder.frame_size or 320
    padded = np.pad(x, (0, -len(x) % size + _AFTER * size)).clip(-1.0, 1.0)
    if sample_format.startswith("s16"):
        pcm = (padded * 32768.0).round().clip(-32768, 32767).astype(np.int16)
        frames = pcm.reshape(-1, 1, size)
    else:
        frames = padded.reshape(-1, 1, size)
    for number, samples in enumerate(frames):
        frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="mono")
        frame.sample_rate, frame.pts = encoder.sample_rate, number * size
        frame.time_base = fractions.Fraction(1, encoder.sample_rate)
        for packet in encoder.encode(frame):
            send(packet)
    for packet in encoder.encode(None):
        send(packet)


def _floats(samples: npt.NDArray[np.generic]) -> Floats:
    if samples.dtype == np.int16:
        return samples.astype(np.float32).reshape(-1) / np.float32(32768.0)
    return samples.astype(np.float32).reshape(-1)
