"""Channels by short strings: ``mp3:kbps=64``, ``lowpass:hz=4000+noise:snr_db=20``, presets."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from mondegreen.channels.bandwidth import Resample
from mondegreen.channels.channel import Channel, Compose
from mondegreen.channels.clipping import Clip
from mondegreen.channels.codecs import G722, Aac, Amr, Mp3, Opus
from mondegreen.channels.companding import G711
from mondegreen.channels.filters import BandPass, HighPass, LowPass
from mondegreen.channels.gain import Gain
from mondegreen.channels.gaussian import Gaussian
from mondegreen.channels.loudspeaker import Loudspeaker
from mondegreen.channels.median import Median
from mondegreen.channels.microphone import Microphone
from mondegreen.channels.noise import Noise
from mondegreen.channels.packets import Packets
from mondegreen.channels.pitch import Pitch
from mondegreen.channels.presets import mobile_call, over_the_air, phone_call
from mondegreen.channels.quantization import Quantize
from mondegreen.channels.responses import Impulse
from mondegreen.channels.rooms import Room
from mondegreen.channels.shift import Shift
from mondegreen.channels.smoothing import Smooth
from mondegreen.channels.spectral_gate import Gate
from mondegreen.channels.speed import Speed
from mondegreen.errors import MondegreenError
from mondegreen.extensions import construct, find

CHANNELS: Mapping[str, Callable[..., Channel]] = {
    "quantize": Quantize,
    "g711": G711,
    "gain": Gain,
    "clip": Clip,
    "resample": Resample,
    "lowpass": LowPass,
    "highpass": HighPass,
    "bandpass": BandPass,
    "smooth": Smooth,
    "median": Median,
    "gate": Gate,
    "noise": Noise,
    "gaussian": Gaussian,
    "shift": Shift,
    "speed": Speed,
    "pitch": Pitch,
    "packets": Packets,
    "mp3": Mp3,
    "opus": Opus,
    "aac": Aac,
    "amr": Amr,
    "g722": G722,
    "room": Room,
    "impulse": Impulse,
    "loudspeaker": Loudspeaker,
    "microphone": Microphone,
}
"""Single channels by name."""

PRESETS: Mapping[str, Callable[..., Channel]] = {
    "phone-call": phone_call,
    "mobile-call": mobile_call,
    "over-the-air": over_the_air,
}
"""Whole paths by name."""

CHANNEL_EXAMPLES: tuple[tuple[str, str], ...] = (
    ("phone-call", "A landline: 300 to 3,400 Hz, G.711 at 8 kHz, one packet in a hundred lost."),
    ("mobile-call", "A mobile telephone: noise around the talker, AMR at 12.2 kbit/s."),
    ("over-the-air", "Played by a small loudspeaker in a room and recorded by a microphone."),
    ("mp3:kbps=64", "MP3 at 64 kbit/s."),
    ("mp3:kbps=16", "MP3 at 16 kbit/s, which is audibly coarse."),
    ("opus:kbps=24", "Opus at 24 kbit/s, as in voice messages."),
    ("aac:kbps=32", "AAC at 32 kbit/s."),
    ("g722", "G.722 at 64 kbit/s, a telephone with HD voice."),
    ("g711:law=a", "G.711 with the A-law of European telephones, at 8 kHz."),
    ("quantize:bits=8", "Eight bits a sample."),
    ("quantize:bits=8,dither=triangular", "Eight bits a sample, rounded after adding dither."),
    ("lowpass:hz=4000", "Nothing above 4 kHz."),
    ("highpass:hz=300", "Nothing below 300 Hz."),
    ("resample:hz=8000", "Sampled at 8 kHz on the way."),
    ("smooth:samples=5", "Each sample the mean of five."),
    ("median:samples=5", "Each sample the median of five."),
    ("gate:db=40", "Nothing fainter than 40 dB below the loudest bin of the spectrum."),
    ("noise:kind=white,snr_db=20", "White noise, 20 dB below the clip."),
    ("noise:kind=pink,snr_db=10", "Pink noise, 10 dB below the clip."),
    ("gaussian:sigma=0.01", "White noise of one level for all clips, for randomised smoothing."),
    ("gain:db=-12", "Twelve decibels quieter."),
    ("clip:level=0.1", "Peaks cut off at a tenth of full scale."),
    ("shift:ms=10", "Ten milliseconds later."),
    ("speed:rate=1.03", "Three per cent faster and higher."),
    ("pitch:semitones=1", "A semitone higher at the same speed."),
    ("packets:loss=0.05", "One packet of 20 ms in twenty lost."),
    ("room:rt60=0.3,distance=1", "Rooms of 0.3 s reverberation, one metre away."),
    ("loudspeaker", "A small loudspeaker: no bass, some distortion."),
    ("lowpass:hz=4000+noise:snr_db=20", "A chain: low-pass, then noise."),
)
"""Channels to try, each with a sentence of what it does."""

GRAMMAR = (
    "write name, name:option=value,option=low..high, module:Class for one of your own, or several "
    "joined by +"
)

_OWN = re.compile(r"([\w.]+:\w+)(?::(.*))?")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"


def parse_channel(text: str) -> Channel:
    """Read a channel, or a chain of them.

    Args:
        text: Names of :data:`CHANNELS` and :data:`PRESETS`, joined by ``+`` in the order in which
            the sound passes them; after a colon options, as ``option=value`` with commas between.
            ``module:Class`` is a :class:`Channel` from outside of the package.
            A number may be a range, ``low..high``, where the option allows one.

    Raises:
        MondegreenError: It is not understood, an option is unknown or out of range, or an extra
            package is missing; the message lists what there is.

    Example:
        >>> parse_channel("lowpass:hz=4000")
        LowPass(hz=4000)
        >>> parse_channel("gain:db=-6..6+quantize").random
        True
    """
    links = tuple(_link(part, text) for part in re.split(r"\+(?=\s*[a-z])", text.strip()))
    return links[0] if len(links) == 1 else Compose(channels=links)


def _link(part: str, text: str) -> Channel:
    """Return one link of a chain."""
    name, _, written = part.strip().partition(":")
    maker = CHANNELS.get(name) or PRESETS.get(name)
    own = _OWN.fullmatch(part.strip())
    if maker is None and own is not None:
        name, written = own[1], own[2] or ""
        maker = find(name, f"channel {text!r}")
        if not (isinstance(maker, type) and issubclass(maker, Channel)):
            raise MondegreenError(f"channel {text!r}: {name} is no mondegreen.Channel.")
    if maker is None:
        raise MondegreenError(
            f"channel {text!r}: there is no {name!r}; {GRAMMAR}. Presets: {', '.join(PRESETS)}. "
            f"Channels: {', '.join(CHANNELS)}."
        )
    known = inspect.signature(maker).parameters
    options: dict[str, Any] = {}
    for item in filter(None, written.split(",")):
        key, equals, value = item.strip().partition("=")
        if key not in known or not equals or not value or key in options:
            choices = ", ".join(f"{one.name}={_shown(one.default)}" for one in known.values())
            raise MondegreenError(
                f"channel {text!r}: {item!r} is no option=value of {name}, or is repeated; its "
                f"options and their defaults: {choices}."
            )
        options[key] = _value(value)
    return construct(maker, options, f"channel {text!r}")


def _value(text: str) -> int | float | str | tuple[float, float]:
    ends = re.fullmatch(rf"({_NUMBER})\.\.({_NUMBER})", text, re.IGNORECASE)
    if ends:
        return float(ends.group(1)), float(ends.group(2))
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "..".join(f"{end:g}" for end in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
