"""The tables of the page on taggers hold the numbers of the result files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mondegreen.configs import to_dict
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.tagging import GoalRow, TaggerReport, TagRow
from mondegreen.files import write_json
from mondegreen.report.docs_taggers import render_tags


def test_every_number_is_that_of_the_report(tmp_path: Path) -> None:
    report = TaggerReport(
        clips=321,
        tags=(
            TagRow("rain", 40, 0.25, 0.875, 0.625, 0.75),
            TagRow("dog", 0, 0.5, 1.0, None, None),
        ),
        mean_average_precision=0.755,
        goals=(GoalRow("hush=-dog", "hush", 0.125, 0.0),),
        several=0.0625,
    )
    path = tmp_path / "goals-report.json"
    write_json(path, {"format": 1, "on": "test", **to_dict(report)})
    text = render_tags(path)
    lines = [line.replace(" ", "") for line in text.splitlines()]
    assert "|`rain`|40|0.25|87.5%|62.5%|75.0%|" in lines
    assert "|`dog`|0|0.50|100.0%|–|–|" in lines
    assert "The test part: 321 clips; mean average precision 75.5 %." in text
    assert "6.2 % of the clips" in text
    write_json(path, {"format": 1, "clips": 321})
    with pytest.raises(MondegreenError, match=r"goals-report\.json"):
        render_tags(path)
