"""Whole paths of a sound, made of the single channels."""

from __future__ import annotations

from mondegreen.channels.channel import Channel, Compose
from mondegreen.channels.codecs import Amr
from mondegreen.channels.companding import G711, Law
from mondegreen.channels.filters import BandPass
from mondegreen.channels.gain import Gain
from mondegreen.channels.loudspeaker import Loudspeaker
from mondegreen.channels.microphone import Microphone
from mondegreen.channels.noise import Noise
from mondegreen.channels.packets import Packets
from mondegreen.channels.rooms import Room
from mondegreen.channels.shift import Shift
from mondegreen.channels.values import Range


def phone_call(*, law: Law = "mu", snr_db: Range = 35.0, loss: float = 0.01) -> Channel:
    """A call over a landline: 300 to 3,400 Hz, line noise, G.711 at 8 kHz, lost packets.

    Args:
        law: Of G.711, ``mu`` or ``a``.
        snr_db: Signal-to-noise ratio of the line in dB.
        loss: Share of the packets of 20 ms that are lost.
    """
    line = Noise(kind="white", snr_db=snr_db)
    return Compose(channels=(BandPass(), line, G711(law=law), Packets(loss=loss)))


def mobile_call(*, kbps: float = 12.2, snr_db: Range = (15.0, 30.0), loss: float = 0.01) -> Channel:
    """A call over a mobile telephone: noise around the talker, 300 to 3,400 Hz, AMR, lost packets.

    Args:
        kbps: Bit rate of AMR.
        snr_db: Signal-to-noise ratio of the pink noise around the talker.
        loss: Share of the packets of 20 ms that are lost.
    """
    around = Noise(kind="pink", snr_db=snr_db)
    return Compose(channels=(around, BandPass(), Amr(kbps=kbps), Packets(loss=loss)))


def over_the_air(
    *,
    rt60: Range = (0.15, 0.4),
    distance: Range = (0.5, 2.0),
    snr_db: Range = (15.0, 30.0),
    gain_db: Range = (-6.0, 6.0),
    shift_ms: Range = (-20.0, 20.0),
    rooms: int = 8,
    seed: int = 1024,
    folder: str = "",
) -> Channel:
    """Played by a small loudspeaker, heard in a room by a microphone, with noise behind it.

    Args:
        rt60: Reverberation time of the rooms in seconds.
        distance: From loudspeaker to microphone in metres.
        snr_db: Signal-to-noise ratio of the background noise.
        gain_db: Change of level.
        shift_ms: Change of the moment at which the clip begins.
        rooms: How many rooms to draw from.
        seed: Of the rooms.
        folder: Recordings of background noise; without them it is pink.
    """
    kind = "folder" if folder else "pink"
    return Compose(
        channels=(
            Loudspeaker(),
            Room(rt60=rt60, distance=distance, rooms=rooms, seed=seed),
            Noise(kind=kind, snr_db=snr_db, folder=folder),  # type: ignore[arg-type]
            Microphone(),
            Gain(db=gain_db),
            Shift(ms=shift_ms),
        )
    )
