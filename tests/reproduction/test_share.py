"""``mondegreen reproduce --share``: stages are run, and the report is left to the last call."""

from __future__ import annotations

from pathlib import Path

import pytest

from mondegreen.cli import reproduce
from mondegreen.runs import Run
from mondegreen.stages.stage import DONE, Records, Stage


def test_sharing_runs_stages_and_writes_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result"
    result.touch()
    stages = [Stage(name, "nothing", (), result) for name in ("one", "two")]
    monkeypatch.setattr(reproduce, "stages", lambda *_, **__: stages)
    finished: list[object] = []
    monkeypatch.setattr(reproduce, "_finish", lambda *given: finished.append(given))
    out, rules = tmp_path / "run", reproduce.Rules(reproduce.Corpora(), "smoke", False)
    another_machine = Run(out, rules, shared=True)
    words = ["--preset", "smoke", "--out", str(out), "--jobs", "2"]
    reproduce.run([*words, "--share"])
    assert "2 of 2 stages are done" in capsys.readouterr().err
    assert [Records(out).read(stage).state for stage in stages] == [DONE, DONE]
    assert not finished
    del another_machine
    reproduce.run(words)
    assert len(finished) == 1
