"""What happens to a clip between the attacker and the classifier: coding, filters, noise, rooms.

A :class:`Channel` is called with waveforms and returns as many of the same length, exactly
reproducible, with a gradient: its own or, of a codec, one that passes straight through.
"""

from mondegreen.channels.bandwidth import Resample
from mondegreen.channels.channel import Channel, Compose
from mondegreen.channels.clipping import Clip
from mondegreen.channels.codecs import G722, Aac, Amr, Codec, Mp3, Opus
from mondegreen.channels.companding import G711
from mondegreen.channels.filters import BandPass, HighPass, LowPass
from mondegreen.channels.gain import Gain
from mondegreen.channels.gaussian import Gaussian
from mondegreen.channels.loudspeaker import Loudspeaker
from mondegreen.channels.median import Median
from mondegreen.channels.microphone import Microphone
from mondegreen.channels.noise import Noise
from mondegreen.channels.packets import Packets
from mondegreen.channels.parsing import CHANNEL_EXAMPLES, CHANNELS, PRESETS, parse_channel
from mondegreen.channels.pitch import Pitch
from mondegreen.channels.presets import mobile_call, over_the_air, phone_call
from mondegreen.channels.quantization import Quantize
from mondegreen.channels.responses import Impulse
from mondegreen.channels.rooms import Room
from mondegreen.channels.shift import Shift
from mondegreen.channels.smoothing import Smooth
from mondegreen.channels.spectral_gate import Gate
from mondegreen.channels.speed import Speed
from mondegreen.channels.streams import Streams

__all__ = [
    "CHANNELS",
    "CHANNEL_EXAMPLES",
    "G711",
    "G722",
    "PRESETS",
    "Aac",
    "Amr",
    "BandPass",
    "Channel",
    "Clip",
    "Codec",
    "Compose",
    "Gain",
    "Gate",
    "Gaussian",
    "HighPass",
    "Impulse",
    "Loudspeaker",
    "LowPass",
    "Median",
    "Microphone",
    "Mp3",
    "Noise",
    "Opus",
    "Packets",
    "Pitch",
    "Quantize",
    "Resample",
    "Room",
    "Shift",
    "Smooth",
    "Speed",
    "Streams",
    "mobile_call",
    "over_the_air",
    "parse_channel",
    "phone_call",
]
