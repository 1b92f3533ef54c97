from __future__ import annotations

import pytest
import torch

from mondegreen.channels.companding import Law, compand, decode_a, decode_mu, encode_a, encode_mu

EVERY = torch.arange(-32768, 32768)


def levels(law: Law) -> dict[int, int]:
    """The standard's positive output values on the 16-bit scale, with the width of each step."""
    segments = [(s, m) for s in range(8) for m in range(16)]
    if law == "mu":  # G.711, table 2a, right column: y = 2^s (2 m + 33) - 33 on 14 bits
        return {4 * (2**s * (2 * m + 33) - 33): 8 * 2**s for s, m in segments}
    # Table 1a: y = 2 m + 1 in the first segment, 2^(s-1) (2 m + 33) later, on 13 bits.
    return {
        8 * (2 * m + 1 if s == 0 else 2 ** (s - 1) * (2 * m + 33)): 16 * 2 ** max(0, s - 1)
        for s, m in segments
    }


@pytest.mark.parametrize("law", ["mu", "a"])
def test_outputs_are_the_standards_levels_half_a_step_away(law: Law) -> None:
    heard = (compand(EVERY.float() / 32768, law) * 32768).long()
    known = levels(law)
    assert set(heard.abs().tolist()) == set(known)
    magnitude = torch.where(EVERY < 0, ~EVERY, EVERY)
    step = torch.tensor([known[one] for one in heard.abs().tolist()])
    inside = magnitude <= max(known)
    # Input is cut to 14 or 13 bits first: that is what the last three steps allow for.
    off = (heard.abs() - magnitude).abs()
    assert bool((off[inside] <= step[inside] / 2 + 3).all())
    assert bool((heard[EVERY >= 0] >= 0).all() and (heard[EVERY < 0] <= 0).all())


def test_codes_follow_the_standards_examples() -> None:
    # Table 2a: silence is 11111111, the largest positive sample 10000000, the most negative 0.
    assert encode_mu(torch.tensor([0, 32767, -32768])).tolist() == [255, 128, 0]
    # Table 1a with even bits inverted: +1 is 11010101, -1 01010101, the ends 10101010 and 00101010.
    assert encode_a(torch.tensor([0, -1, 32767, -32768])).tolist() == [0xD5, 0x55, 0xAA, 0x2A]


@pytest.mark.parametrize("law", ["mu", "a"])
def test_codes_are_their_own_fixed_points(law: Law) -> None:
    codes = torch.arange(256)
    encode, decode = (encode_mu, decode_mu) if law == "mu" else (encode_a, decode_a)
    again = encode(decode(codes))
    different = codes[again != codes].tolist()
    assert different == ([127] if law == "mu" else [])  # minus zero becomes plus zero


@pytest.mark.parametrize("law", ["mu", "a"])
def test_codes_are_those_of_ffmpeg(law: Law) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    name = "pcm_mulaw" if law == "mu" else "pcm_alaw"
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(bytes(range(256))))
    theirs = frame.to_ndarray().reshape(-1)
    ours = (decode_mu if law == "mu" else decode_a)(torch.arange(256))
    assert ours.tolist() == theirs.tolist()
