"""A headless Chromium, driven by Selenium, and small pages for it: tones and their attacks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.cache import ClipCache
from mondegreen.data.dataset import ClipDataset
from mondegreen.data.folder import folder_corpus
from mondegreen.evaluation.evaluate import EvaluationOptions, evaluate
from mondegreen.evaluation.results import Setting, write_evaluation
from mondegreen.report.comparison_page import write_comparison_page
from mondegreen.report.page import write_report

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

RATE = 8000
SAMPLES = 12 * RATE  # long enough that nothing ends while a slow machine clicks
TONES = {"low": 400.0, "mid": 1200.0, "high": 2800.0}
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --autoplay-policy=no-user-gesture-required --window-size=1280,900"
)
COMPARISON = Path(__file__).parents[2] / "results" / "spotter-curves" / "comparison.json"

PROBE = """
window.probe = { contexts: [], started: [] };
const Context = window.AudioContext;
window.AudioContext = class extends Context {
  constructor(...options) {
    super(...options);
    probe.contexts.push(this);
    probe.analyser = this.createAnalyser();
    probe.analyser.smoothingTimeConstant = 0;
  }
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination && probe.analyser) connect.call(this, probe.analyser);
  return connect.call(this, to, ...rest);
};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {
  probe.started.push(this.buffer.getChannelData(0));
  return start.apply(this, when);
};
probe.same = (first, second) => first.every((value, place) => value === second[place]);
probe.level = (hertz) => {
  const bins = new Float32Array(probe.analyser.frequencyBinCount);
  probe.analyser.getFloatFrequencyData(bins);
  return bins[Math.round(hertz / probe.contexts[0].sampleRate * probe.analyser.fftSize)];
};
"""
"""Listens in on the page from outside: what is started, and what leaves for the loudspeaker."""


class Spotter(nn.Module):
    """Hears the loudest of three tones."""

    basis: Tensor

    def __init__(self) -> None:
        super().__init__()
        angles = (
            2 * torch.pi * torch.tensor([*TONES.values()])[:, None] * torch.arange(SAMPLES) / RATE
        )
        self.register_buffer("basis", torch.stack([angles.sin(), angles.cos()]))

    def forward(self, x: Tensor) -> Tensor:
        """Return levels in dB."""
        parts = torch.einsum("bt,clt->bcl", x[:, 0], self.basis) / SAMPLES
        return 10 * torch.log10(parts.square().sum(dim=1) + 1e-9)


class Whistle(Attack):
    """Adds the target's tone; too faintly from "low" to "high", so that some attacks fail."""

    @property
    def name(self) -> str:
        return "whistle"

    def parameters(self) -> dict[str, Any]:
        return {"level": 0.3}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        sources = classifier(x).argmax(1).tolist()
        pairs = zip(sources, target.tolist(), strict=True)
        levels = [0.05 if pair == (0, 2) else 0.3 for pair in pairs]
        tones = [2 * torch.pi * [*TONES.values()][index] for index in target.tolist()]
        time = torch.arange(SAMPLES) / RATE
        return torch.stack(
            [a * torch.sin(w * time)[None] for a, w in zip(levels, tones, strict=True)]
        )


def _clips(folder: Path) -> ClipDataset:
    """Write four clips of each tone, of different levels."""
    time = np.arange(SAMPLES) / RATE
    for label, hertz in TONES.items():
        (folder / "clips" / label).mkdir(parents=True)
        for take in range(4):
            x = (0.1 + 0.02 * take) * np.sin(2 * np.pi * hertz * time)
            soundfile.write(folder / "clips" / label / f"s{take}_nohash_0.wav", x, RATE)
    corpus = folder_corpus(folder / "clips", labels=tuple(TONES))
    cache = ClipCache.build(corpus, sample_rate=RATE, clip_samples=SAMPLES, folder=folder / "cache")
    return ClipDataset(corpus, cache)


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small evaluation: 24 pairs, of which 12 can be heard and 2 of those failed."""
    folder = tmp_path_factory.mktemp("evaluation")
    spotter = Classifier(
        Spotter(), labels=tuple(TONES), sample_rate=RATE, clip_samples=SAMPLES, name="tone-spotter"
    ).freeze()
    data = _clips(folder)
    options = EvaluationOptions(batch_size=8, timing_repeats=1)
    found = evaluate(Whistle(), spotter, data, budget=None, options=options)
    setting = Setting(Whistle(), spotter, data, None, "test", "speaker", 1)
    write_evaluation(folder, found, setting, "not asked for", 2)
    return write_report(folder)


@pytest.fixture(scope="session")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a comparison that was measured."""
    folder = tmp_path_factory.mktemp("comparison")
    shutil.copy(COMPARISON, folder)
    return write_comparison_page(folder)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser of all tests; they are skipped where there is none."""
    pytest.importorskip("selenium", reason="needs the extra 'browser'")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs Chromium and chromedriver; `make test-browser` installs them as root")
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    browser.set_script_timeout(10)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": PROBE})
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """The browser as new; afterwards nothing may have failed or been asked of a network."""
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    yield chromium
    failures = [entry["message"] for entry in chromium.get_log("browser")]
    assert not failures
    messages = [
        json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")
    ]
    asked = [
        one["params"]["request"]["url"]
        for one in messages
        if one["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    assert any(url.startswith("file:") for url in asked)  # or nothing was looked at
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
