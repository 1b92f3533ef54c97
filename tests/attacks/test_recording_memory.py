"""Attacking long recordings takes no more memory than attacking short ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

PEAK = """
import resource, sys
from pathlib import Path
import torch
from mondegreen.attacks.attack import Attack
from mondegreen.attacks.recording import attack_recording, hear_file
from mondegreen.attacks.streaming import StreamingOptions
from mondegreen.budgets import SNR
from mondegreen.classifiers.classifier import Classifier

class Louder(Attack):
    name = "louder"
    def parameters(self):
        return {}
    def perturb(self, classifier, x, target, budget):
        return 0.05 * x

torch.set_num_threads(1)
module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8000, 3))
spotter = Classifier(
    module, labels=("a", "b", "c"), sample_rate=8000, clip_samples=8000, name="linear"
).freeze()
path, out = Path(sys.argv[1]), Path(sys.argv[2])
streaming = StreamingOptions(500.0, 100.0) if sys.argv[3] == "stream" else None
attack_recording(Louder(), spotter, path, "b", SNR(20.0), out, streaming=streaming)
hear_file(spotter, out)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("form", ["chunks", "stream"])
def test_ten_minutes_take_no_more_memory_than_one(tmp_path: Path, form: str) -> None:
    # As float32, the nine minutes between are 95 MB, and an attack in memory holds them many times.
    rng = np.random.default_rng(0)
    peaks = []
    for minutes in (1, 10):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 22_050, 2, "PCM_16") as file:
            for _ in range(6 * minutes):
                file.write(rng.uniform(-0.1, 0.1, (10 * 22_050, 2)))
        words = [sys.executable, "-c", PEAK, str(path), str(tmp_path / "out.wav"), form]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert soundfile.info(tmp_path / "out.wav").frames == 600 * 22_050
    assert peaks[1] - peaks[0] < 25.0  # MiB
