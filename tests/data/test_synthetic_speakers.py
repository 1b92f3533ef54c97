from __future__ import annotations

import re

import pytest

from mondegreen.data.synthetic_speakers import (
    ACCENTS,
    VARIANTS,
    sample_speakers,
    speaker_names,
)
from mondegreen.errors import MondegreenError

VOICES = frozenset((*ACCENTS, *VARIANTS))
PAIRS = len(ACCENTS) * len(VARIANTS)


def test_names_look_like_those_of_speech_commands() -> None:
    names = speaker_names(500, 1024)
    assert len(set(names)) == 500
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in names)
    assert speaker_names(20, 1024) == names[:20]
    assert not set(speaker_names(500, 1025)) & set(names)


def test_no_two_speakers_share_a_voice() -> None:
    speakers = sample_speakers(2500, 3, VOICES)
    voices = [(speaker.accent, speaker.variant, speaker.pitch) for speaker in speakers]
    assert len(set(voices)) == 2500
    # As long as there are unused pairs of accent and variant, none is used again.
    assert len({speaker.voice for speaker in speakers[:PAIRS]}) == PAIRS


def test_more_speakers_leave_the_others_as_they_were() -> None:
    assert sample_speakers(30, 9, VOICES)[:10] == sample_speakers(10, 9, VOICES)
    assert sample_speakers(10, 8, VOICES) != sample_speakers(10, 9, VOICES)


def test_speakers_are_within_what_was_promised() -> None:
    for speaker in sample_speakers(400, 1, VOICES):
        assert 95 <= speaker.rate <= 175
        assert 20 <= speaker.pitch <= 80
        assert 0.9 <= speaker.warp <= 1.12
        assert -27.0 <= speaker.level_db <= -4.0
        assert 15.0 <= speaker.snr_db <= 45.0
        assert speaker.low_cut_hz < 300.0 < 3400.0 < speaker.high_cut_hz < 8000.0


def test_only_voices_that_exist_are_used() -> None:
    speakers = sample_speakers(20, 1, {"en-us", "m1", "f1", "unheard-of"})
    assert {speaker.voice for speaker in speakers} == {"gmw/en-us+m1", "gmw/en-us+f1"}
    assert len({(speaker.voice, speaker.pitch) for speaker in speakers}) == 20


def test_too_few_voices_are_refused() -> None:
    with pytest.raises(MondegreenError, match="106 different voices, fewer than the 107"):
        sample_speakers(107, 1, {"en-us", "m1", "f1"})
    assert len(sample_speakers(106, 1, {"en-us", "m1", "f1"})) == 106
