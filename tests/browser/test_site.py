"""The documentation in a browser, opened from the disk: nothing is fetched, searching works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="needs the extra 'browser'")
pytest.importorskip("mkdocs", reason="needs the extra 'docs'")

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
PAGES = (
    "index",
    "howto/compare",
    "results",
    "reproduction",
    "reference/metrics",
    "cli/train-generator",
)
"""One of each kind: prose, code, wide tables, long cells, signatures and formulas, options."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir"]
    subprocess.run([*command, str(folder)], cwd=ROOT, check=True)
    return folder


def open_page(browser: Chrome, site: Path, page: str, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((site / f"{page}.html").as_uri())
    browser.execute_script("localStorage.clear()")
    browser.refresh()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_no_page_is_wider_than_the_window(
    browser: Chrome, site: Path, width: int, scheme: str
) -> None:
    for page in PAGES:
        open_page(browser, site, page, width, scheme)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, page
        chosen = browser.find_element(By.TAG_NAME, "body").get_attribute("data-md-color-scheme")
        assert chosen == {"light": "default", "dark": "slate"}[scheme]
        broken = "return [...document.images].filter((one) => !one.naturalWidth).map((o) => o.src)"
        assert browser.execute_script(broken) == [], page


def test_formulas_are_drawn_by_the_browser_itself(browser: Chrome, site: Path) -> None:
    open_page(browser, site, "reference/metrics", 1280, "light")
    fraction = browser.find_element(By.CSS_SELECTOR, "math[display=block] mfrac")
    over, under = (one.rect for one in fraction.find_elements(By.XPATH, "./*"))
    assert over["y"] + over["height"] <= under["y"] + 1 and over["width"] > 0
    text = browser.find_element(By.TAG_NAME, "article").text
    assert "\\frac" not in text and ":func:" not in text and ">>>" in text


def test_searching_works_from_the_disk(browser: Chrome, site: Path) -> None:
    open_page(browser, site, "index", 1280, "light")
    browser.find_element(By.CSS_SELECTOR, "input.md-search__input").click()
    browser.find_element(By.CSS_SELECTOR, "input.md-search__input").send_keys("loudest_moment")
    found = WebDriverWait(browser, PATIENCE).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "a.md-search-result__link")
    )
    assert "extending.html" in str(found[0].get_attribute("href"))
