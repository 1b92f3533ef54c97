"""Which encoder and decoder of FFmpeg stand for a codec, and what they can do."""

from __future__ import annotations

from dataclasses import dataclass

_AUDIO_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True)
class Coder:
    """An encoder, its decoder, and how they are asked."""

    name: str
    """As in error messages."""
    encoder: str
    decoder: str
    sample_format: str
    """FFmpeg's name of what the encoder takes."""
    rates: tuple[int, ...]
    """Sample rates that it knows, ascending; what is between is taken to the next one."""
    delay: int = 0
    """By how many samples, at its own rate, what is decoded is late. MP3 and Opus say so
    themselves, and FFmpeg takes it out."""

    def rate_for(self, sample_rate: int) -> int:
        """Return the sample rate to code clips of ``sample_rate`` at.

        Example:
            >>> MP3.rate_for(16_000), OPUS.rate_for(22_050), AMR.rate_for(16_000)
            (16000, 24000, 8000)
        """
        return next((rate for rate in self.rates if rate >= sample_rate), self.rates[-1])


MP3 = Coder("mp3", "libmp3lame", "mp3float", "fltp", _AUDIO_RATES)
OPUS = Coder("opus", "libopus", "opus", "flt", (8_000, 12_000, 16_000, 24_000, 48_000))
AAC = Coder("aac", "aac", "aac", "fltp", _AUDIO_RATES, delay=1_024)
AMR = Coder("amr", "libopencore_amrnb", "amrnb", "s16", (8_000,), delay=40)
G722 = Coder("g722", "adpcm_g722", "g722", "s16", (16_000,), delay=22)
