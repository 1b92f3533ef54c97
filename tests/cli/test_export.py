from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.cli.conftest import Trained

from mondegreen.cli.export import run
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import load_generator
from mondegreen.generators.onnx_runtime import OnnxGenerator

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package)


def test_a_run_becomes_a_file_that_works_alone(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "generator.onnx"
    run(["--generator", str(trained.generator), "--out", str(out)])
    printed = capsys.readouterr().out
    assert printed.startswith(f"{out}: ")
    assert "version 20" in printed
    assert "at most" in printed
    assert [path.name for path in out.parent.iterdir()] == ["generator.onnx"]
    generator = load_generator(trained.generator)
    x = 0.1 * torch.randn(2, 1, 5_000, generator=torch.Generator().manual_seed(1))
    target = torch.tensor([0, 1])
    torch.testing.assert_close(
        OnnxGenerator.load(out)(x, target), generator(x, target), rtol=0.0, atol=1e-4
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "generator.pt"], r"ends in \.onnx"),
        (["--out", "x.onnx", "--generator", "zoo:nonsense"], "zoo:speech-commands"),
        (["--out", "x.onnx", "--generator", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_work_is_refused(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MondegreenError, match=message):
        run(words)
    assert not list(tmp_path.iterdir())
