"""The live page in a browser: upload, attack, hear, download; and what it says to bad uploads."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("selenium", reason="needs the extra 'browser'")
pytest.importorskip("gradio", reason="needs the extra 'demo'")

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --use-fake-ui-for-media-stream --use-fake-device-for-media-stream "
    "--autoplay-policy=no-user-gesture-required --window-size=1280,1000"
)
PATIENCE = 40.0


@pytest.fixture(scope="module")
def live_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that a process of its own serves."""
    command = [sys.executable, "-m", "mondegreen", "serve", "--port", "0"]
    folder = tmp_path_factory.mktemp("tmp")
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        found = next(filter(None, (re.search(r"http://\S+", line) for line in process.stderr)))
        yield found.group()
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Iterator[Chrome]:
    """A browser with a microphone that beeps and a folder for downloads."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs Chromium and chromedriver")
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def see(self, selector: str, text: str = "") -> WebElement:
        """Wait for a visible element that holds the text."""

        def look() -> WebElement | None:
            script = """return [...document.querySelectorAll(arguments[0])].find(
                (one) => one.checkVisibility() && one.textContent.includes(arguments[1]))"""
            found: WebElement | None = self.browser.execute_script(script, selector, text)
            return found

        element: WebElement = self.wait(look, f"{selector} with {text!r}")
        return element

    def wait(self, look: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.1)
        shown = self.browser.execute_script("return document.body.innerText")
        pytest.fail(f"never saw {what} in: {shown}")

    def click(self, selector: str, text: str = "") -> None:
        element = self.see(selector, text)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def upload(self, path: Path) -> None:
        self.see(".mg-clip")
        self.browser.find_element(By.CSS_SELECTOR, ".mg-clip input[type=file]").send_keys(str(path))


@pytest.fixture
def visitor(chromium: Chrome, live_page: str) -> Iterator[Visitor]:
    """A new session; afterwards nothing may have been asked of another machine."""
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    chromium.get(live_page)
    someone = Visitor(chromium)
    someone.see(".mg-notice", "Record, upload or choose")
    yield someone
    messages = [json.loads(one["message"])["message"] for one in chromium.get_log("performance")]
    asked = {
        one["params"]["request"]["url"]
        for one in messages
        if one["method"] == "Network.requestWillBeSent"
    }
    assert any(url.startswith(live_page) for url in asked)
    own = (live_page, "data:", "blob:", "about:", "chrome:")
    assert [url for url in asked if not url.startswith(own)] == []
    blocked = [one["message"] for one in chromium.get_log("browser")]
    assert [message for message in blocked if "Content Security Policy" in message] == []


@pytest.fixture
def hum(tmp_path: Path) -> Path:
    """Half a second of a hum, late in a recording of three."""
    seconds = np.arange(8_000) / 16_000
    voice = sum(np.sin(2 * np.pi * 120 * k * seconds) / k for k in range(1, 25))
    x = np.zeros(48_000)
    x[24_000:32_000] = 0.1 * np.hanning(8_000) * voice
    soundfile.write(tmp_path / "hum.wav", x, 16_000)
    return tmp_path / "hum.wav"


def test_upload_attack_listen_download(visitor: Visitor, hum: Path, downloads: Path) -> None:
    visitor.upload(hum)
    visitor.see(".mg-badge", "“stop”")
    visitor.see(".mg-foot", "of your 3.00 s the loudest part was used")
    visitor.click(".mg-words label", "left")
    visitor.see(".mg-badge", "“left”")
    playing = """const sounds = [...document.querySelectorAll('.mg-track audio')];
        return sounds.map((one) => [one.readyState, one.duration.toFixed(3), !one.paused])"""
    visitor.click(".mg-play", "Original")
    visitor.see(".mg-play[aria-pressed=true]", "Original")
    visitor.click(".mg-play", "Adversarial")
    visitor.see(".mg-play[aria-pressed=true]", "Adversarial")
    sounds = visitor.browser.execute_script(playing)
    assert [(state, length) for state, length, _ in sounds] == [(4, "1.024")] * 3
    assert [sounding for *_, sounding in sounds] == [False, True, False]
    visitor.click(".mg-download")
    (path,) = visitor.wait(lambda: list(downloads.glob("*.left.wav")), "a download")
    assert soundfile.info(str(path)).frames == 16_384
    assert soundfile.info(str(path)).subtype == "PCM_16"


def test_a_ready_clip_and_channels(visitor: Visitor) -> None:
    visitor.click("button", "left")
    visitor.see(".mg-verdict", "heard before")
    visitor.click("button[role=tab]", "Channels")
    visitor.click("button", "Send it through")
    visitor.see(".mg-verdict", "still heard as")
    assert len(visitor.browser.find_elements(By.CSS_SELECTOR, ".mg-passages li")) == 4


def test_attacks_with_steps_show_them(visitor: Visitor, hum: Path) -> None:
    visitor.upload(hum)
    visitor.see(".mg-foot", "generator")
    visitor.click("button", "Model and attack")
    visitor.click("label", "Gradient search")
    visitor.see(".mg-foot", "pgd:steps=10")
    visitor.see(".block", "Gradient steps")


def test_a_recording_from_the_microphone(visitor: Visitor) -> None:
    visitor.click("button[aria-label='Record audio']")
    visitor.click("button", "Record")
    time.sleep(1.5)
    visitor.click("button", "Stop")
    visitor.see(".mg-verdict", "heard before")


def test_what_is_no_audio_gets_a_sentence(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    visitor.upload(tmp_path / "text.wav")
    visitor.see(".mg-notice.wrong", "text.wav cannot be decoded as audio")


def test_ten_minutes_are_refused(visitor: Visitor, tmp_path: Path) -> None:
    long, large = tmp_path / "long.mp3", tmp_path / "large.wav"
    soundfile.write(long, np.zeros(600 * 8_000), 8_000)
    visitor.upload(long)
    visitor.see(".mg-notice.wrong", "long.mp3 lasts 600 s; this page takes up to 60 s.")
    soundfile.write(large, np.zeros(600 * 16_000), 16_000)
    visitor.browser.refresh()
    visitor.upload(large)
    visitor.see("body", "10")  # Gradio's own message
    visitor.see(".toast-body", "exceed")


def test_a_phone_shows_it_without_scrolling_sideways(visitor: Visitor, hum: Path) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    visitor.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        visitor.upload(hum)
        visitor.see(".mg-verdict", "heard before")
        width = visitor.browser.execute_script("return document.documentElement.scrollWidth")
        assert width == 390
    finally:
        visitor.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_and_light_by_hand(visitor: Visitor) -> None:
    ground = "return getComputedStyle(document.querySelector('.mg-notice')).backgroundColor"
    before = visitor.browser.execute_script(ground)
    visitor.click("#mg-theme")
    assert visitor.browser.execute_script(ground) != before
