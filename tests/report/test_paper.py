from __future__ import annotations

from itertools import pairwise
from statistics import mean

import pytest

from mondegreen.report.paper import (
    GENERATOR_MACS,
    GENERATOR_PARAMETERS,
    MUSIC,
    SETTINGS,
    SPEECH,
    ReportedSetting,
    closest_setting,
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_table_2_averages_to_table_1(setting: ReportedSetting) -> None:
    assert len({target.target for target in setting.targets}) == 10
    assert mean(t.snr_db for t in setting.targets) == pytest.approx(
        setting.proposed.snr_db, abs=6e-3
    )
    assert setting.proposed.pesq is not None
    assert mean(t.pesq for t in setting.targets) == pytest.approx(setting.proposed.pesq, abs=6e-4)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_paper_wins_its_own_table(setting: ReportedSetting) -> None:
    for baseline in setting.baselines:
        assert baseline.success_rate < setting.proposed.success_rate
        assert baseline.snr_db < setting.proposed.snr_db
        assert baseline.seconds > setting.proposed.seconds
    low, high = setting.error_range
    assert low < 1 - setting.proposed.success_rate < high


def test_generator_sizes_follow_from_figure_2() -> None:
    down = (1, 16, 32, 32, 64, 64, 128, 128, 256)
    up = down[::-1]
    length, parameters, macs = 16384, 0, 0
    for inputs, outputs in pairwise(down):
        length //= 2
        parameters += 32 * inputs * outputs + outputs
        macs += 32 * inputs * outputs * length
    for index, outputs in enumerate(up[1:]):
        inputs = up[index] * (1 if index == 0 else 2)
        parameters += 32 * inputs * outputs + outputs
        macs += 32 * inputs * outputs * length
        length *= 2
    slopes = 15  # one PReLU a layer but the last, which has tanh
    assert parameters + slopes == GENERATOR_PARAMETERS
    assert macs == GENERATOR_MACS


def test_closest_setting() -> None:
    assert closest_setting(["rock", "yes", "jazz"]) is MUSIC
    assert closest_setting(["dog", "rain"]) is SPEECH
    assert SPEECH.target("up") is not None and SPEECH.target("dog") is None
