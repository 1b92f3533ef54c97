"""The leaderboard's page: sorted and filtered by a click, whole without scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="needs the extra 'browser'")

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from mondegreen.report.leaderboard.boards import load_leaderboard
from mondegreen.report.leaderboard.files import write_leaderboard

pytestmark = pytest.mark.browser

BOARD = Path(__file__).parents[2] / "leaderboard"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, *_ = write_leaderboard(tmp_path_factory.mktemp("board"), load_leaderboard(BOARD))
    return found


def column(grid: WebElement, title: str) -> list[str]:
    """Return the texts of a column's rows that are shown."""
    heads = [one.text.partition(" ")[0] for one in grid.find_elements(By.CSS_SELECTOR, "thead th")]
    place = heads.index(title) + 1
    cells = grid.find_elements(By.CSS_SELECTOR, f"tbody tr:not([hidden]) > :nth-child({place})")
    return [one.get_property("textContent") for one in cells]  # type: ignore[misc]  # of a cell


def choose(grid: WebElement, label: str, value: str) -> None:
    for one in grid.find_elements(By.TAG_NAME, "label"):
        if one.text.partition("\n")[0] == label:
            Select(one.find_element(By.TAG_NAME, "select")).select_by_visible_text(value)


def click(grid: WebElement, title: str) -> None:
    for one in grid.find_elements(By.CSS_SELECTOR, "thead button"):
        if one.text.startswith(title):
            one.click()


def test_rows_are_filtered_and_counted(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    grid = browser.find_element(By.ID, "standings")
    count = grid.find_element(By.TAG_NAME, "output")
    every = len(column(grid, "entry"))
    assert count.text == f"{every} of {every} rows"
    choose(grid, "goal", "untargeted")
    choose(grid, "budget", "SNR ≥ 30 dB")
    shown = len(column(grid, "entry"))
    assert 0 < shown < every and count.text == f"{shown} of {every} rows"
    assert set(column(grid, "goal")) == {"untargeted"}
    choose(grid, "classifier", "ast")
    assert column(grid, "entry") == ["audited-ast"]
    grid.find_element(By.CLASS_NAME, "clear").click()
    assert len(column(grid, "entry")) == every


def test_a_click_sorts_and_another_turns_it_round(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    grid = browser.find_element(By.ID, "attacks")

    def numbers() -> list[float]:
        return [float(text.partition(" [")[0]) for text in column(grid, "robust")]

    click(grid, "robust")
    falling = numbers()
    assert falling == sorted(falling, reverse=True)
    click(grid, "robust")
    assert numbers() == falling[::-1] or numbers() == sorted(falling)
    click(grid, "entry")
    names = column(grid, "entry")
    assert names[0] == "audited-ast" and names[-1] != names[0]


def test_what_has_no_rank_comes_last(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    grid = browser.find_element(By.ID, "standings")
    for _ in range(2):
        click(grid, "rank")
        ranks = column(grid, "rank")
        first = ranks.index("?")
        assert first > 0 and set(ranks[first:]) == {"?"}


def test_a_name_leads_to_its_entry(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    link = browser.find_element(By.CSS_SELECTOR, '#boards a[href="#entry-spotter-hardened"]')
    entry = browser.find_element(By.ID, "entry-spotter-hardened")
    assert entry.get_property("open") is False
    link.click()
    assert entry.get_property("open") is True
    assert "SHA-256" in entry.text


def test_without_scripts_everything_is_there(browser: Chrome, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page.as_uri())
    assert not browser.find_element(By.CSS_SELECTOR, "#standings .filters").is_displayed()
    text = browser.find_element(By.CSS_SELECTOR, "#standings tbody").text
    assert "spotter-hardened" in text and "fewer than 100" in text


def test_a_phone_scrolls_tables_and_not_the_page(browser: Chrome, page: Path) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
