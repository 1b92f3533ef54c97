"""The page of an evaluation: cells are clicked, sounds are played, and what leaves is heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="needs the extra 'browser'")

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser

LOW, MID = 400, 1200


def until(browser: Chrome, condition: Callable[[], bool]) -> None:
    WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: condition())


def click(browser: Chrome, element: WebElement) -> None:
    """Click where no bar is in the way."""
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", element)
    element.click()


def level(browser: Chrome, hertz: float) -> float:
    """The level in dB at a frequency of what leaves the page; very low while nothing does."""
    found = browser.execute_script("return probe.level(arguments[0])", hertz)
    return -200.0 if found is None else float(found)


def started(browser: Chrome) -> int:
    """How many sounds were started until now: one a track whenever a player plays."""
    return int(browser.execute_script("return probe.started.length"))


def position(player: WebElement) -> float:
    return float(str(player.find_element(By.CSS_SELECTOR, ".position").get_property("value")))


def open_cell(browser: Chrome, page: Path, row: int, column: int) -> WebElement:
    """Open the page, click a cell and return its first player."""
    browser.get(page.as_uri())
    cell = f'a.cell[data-row="{row}"][data-column="{column}"]'
    click(browser, browser.find_element(By.CSS_SELECTOR, cell))
    return browser.find_element(By.CSS_SELECTOR, f"#cell-{row}-{column} .player")


def tracks(player: WebElement) -> list[WebElement]:
    return player.find_elements(By.CSS_SELECTOR, "button.play")


def pressed(player: WebElement) -> list[bool]:
    return [one.get_attribute("aria-pressed") == "true" for one in tracks(player)]


def repeat(browser: Chrome, player: WebElement) -> None:
    click(browser, player.find_element(By.CSS_SELECTOR, ".loop input"))


def test_a_cell_shows_its_pairs_and_they_play(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    shown = [one for one in browser.find_elements(By.CSS_SELECTOR, ".group") if one.is_displayed()]
    assert [group.get_attribute("id") for group in shown] == ["cell-0-1"]
    assert len(shown[0].find_elements(By.CSS_SELECTOR, ".player")) == 2
    assert "“low” → “mid”" in shown[0].text
    click(browser, tracks(player)[0])
    until(browser, lambda: position(player) > 0.05)
    assert browser.execute_script("return probe.contexts.map((c) => c.state)") == ["running"]
    first = position(player)
    until(browser, lambda: position(player) > first)
    assert pressed(player) == [True, False, False, False]
    until(browser, lambda: level(browser, LOW) > -40 > level(browser, MID))
    click(browser, tracks(player)[0])
    slider = player.find_element(By.CSS_SELECTOR, ".position")
    slider.send_keys(Keys.END, *[Keys.ARROW_LEFT] * 20)
    assert position(player) == pytest.approx(11.8)
    before = started(browser)
    click(browser, tracks(player)[0])  # it ends by itself, back at the start
    until(browser, lambda: started(browser) == before + 4 and not any(pressed(player)))
    assert position(player) == 0


def test_every_track_sounds_as_it_should(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    repeat(browser, player)
    buttons = tracks(player)
    click(browser, buttons[0])
    until(browser, lambda: level(browser, LOW) > -40 > level(browser, MID))
    click(browser, buttons[1])
    until(browser, lambda: level(browser, LOW) > -40 < level(browser, MID))
    click(browser, buttons[2])
    until(browser, lambda: level(browser, LOW) < -60 and level(browser, MID) > -40)
    alone = level(browser, MID)
    gain = float(player.get_attribute("data-gain-db") or "nan")
    assert 3 < gain < 20  # twenty would clip
    click(browser, buttons[3])
    until(browser, lambda: abs(level(browser, MID) - alone - gain) < 1.0)
    assert level(browser, LOW) < -60


def test_switching_keeps_the_position(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 1, 0)
    click(browser, tracks(player)[0])
    until(browser, lambda: position(player) > 0.3)
    sounds, before = started(browser), position(player)
    click(browser, tracks(player)[1])
    assert pressed(player) == [False, True, False, False]
    assert position(player) >= before
    assert started(browser) == sounds  # nothing began anew
    # Paused, another track goes on from there.
    click(browser, tracks(player)[1])
    until(browser, lambda: not any(pressed(player)))
    stopped = position(player)
    assert stopped > before
    click(browser, tracks(player)[2])
    until(browser, lambda: position(player) > stopped)


def test_keys_switch_and_the_round_button_pauses(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    repeat(browser, player)
    toggle = player.find_element(By.CSS_SELECTOR, ".toggle")
    click(browser, toggle)
    until(browser, lambda: pressed(player) == [True, False, False, False])
    for place in (1, 2, 3, 0):
        browser.switch_to.active_element.send_keys(str(place + 1))
        assert pressed(player) == [index == place for index in range(4)]
        assert browser.switch_to.active_element == tracks(player)[place]
    click(browser, toggle)
    assert not any(pressed(player))
    rest = position(player)
    time.sleep(0.15)
    assert position(player) == rest
    browser.find_element(By.ID, "theme").send_keys("2")  # the player has no focus any more
    assert not any(pressed(player))


def test_a_click_into_a_picture_plays_from_there(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    click(browser, player.find_elements(By.CSS_SELECTOR, ".views")[1])  # into its middle
    assert position(player) >= 5.9
    until(browser, lambda: pressed(player) == [False, True, False, False])
    slider = player.find_element(By.CSS_SELECTOR, ".position")
    slider.send_keys(Keys.HOME)
    until(browser, lambda: position(player) < 5.0)


def test_one_player_stops_the_other(browser: Chrome, evaluation: Path) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    opening = browser.find_element(By.CSS_SELECTOR, ".hero .player")
    repeat(browser, opening)
    click(browser, tracks(opening)[1])
    until(browser, lambda: any(pressed(opening)))
    click(browser, tracks(player)[0])
    until(browser, lambda: any(pressed(player)) and not any(pressed(opening)))
    click(browser, browser.find_element(By.CSS_SELECTOR, 'a.cell[data-row="2"][data-column="1"]'))
    assert not any(pressed(player))  # what is not seen any more is not heard either


def test_arrows_walk_over_the_cells(browser: Chrome, evaluation: Path) -> None:
    open_cell(browser, evaluation, 0, 1)
    active = browser.switch_to.active_element
    active.send_keys(Keys.ARROW_DOWN)  # over the diagonal
    assert str(browser.switch_to.active_element.get_attribute("href")).endswith("#cell-2-1")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.find_element(By.ID, "cell-2-1").is_displayed()
    assert not browser.find_element(By.ID, "cell-0-1").is_displayed()
    assert browser.find_element(By.ID, "cell-status").text.startswith("high to mid: 100.0 %")


def test_the_ends_lead_to_their_pairs(browser: Chrome, evaluation: Path) -> None:
    browser.get(evaluation.as_uri())
    links = browser.find_elements(By.CSS_SELECTOR, "a.to-pair")
    assert {"“low” → “high”"} == {link.text for link in links[-2:]}  # the failures
    click(browser, links[-1])
    pair = browser.find_element(By.CSS_SELECTOR, browser.execute_script("return location.hash"))
    assert pair.is_displayed() and "attack failed" in pair.text
    assert browser.switch_to.active_element == pair.find_element(By.CSS_SELECTOR, ".player")
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", pair)
    assert 0 <= top < 300


def test_a_browser_that_cannot_decode_shows_its_own_players(
    browser: Chrome, evaluation: Path
) -> None:
    player = open_cell(browser, evaluation, 0, 1)
    audio = player.find_elements(By.TAG_NAME, "audio")
    assert not any(one.is_displayed() for one in audio)
    browser.execute_script(
        "OfflineAudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('no'))"
    )
    click(browser, tracks(player)[1])
    until(browser, lambda: not any(pressed(player)) and all(one.is_displayed() for one in audio))
