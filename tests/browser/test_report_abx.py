"""The blind listening test of the page, answered right, wrong and from the keyboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

pytest.importorskip("selenium", reason="needs the extra 'browser'")

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser


def start(browser: Chrome, page: Path, trials: int) -> None:
    browser.get(page.as_uri())
    browser.find_element(By.CSS_SELECTOR, f'[name="abx-trials"][value="{trials}"]').click()
    browser.find_element(By.CSS_SELECTOR, "#abx-start button").click()


def listen(browser: Chrome) -> str:
    """Return which of the two X is, judged by what was started, from outside of the page."""
    WebDriverWait(browser, 20, poll_frequency=0.02).until(
        lambda b: b.execute_script("return probe.started.length >= 3")
    )
    alike, is_a, is_b = browser.execute_script(
        "const [a, b, x] = probe.started.splice(0).slice(-3);"
        "return [probe.same(a, b), probe.same(a, x), probe.same(b, x)]"
    )
    assert not alike and is_a != is_b
    return "A" if is_a else "B"


def play(browser: Chrome, track: int = 2) -> str:
    """Click on a track, and return which of the two X is."""
    browser.find_element(By.CSS_SELECTOR, f'#abx-trial [data-track="{track}"]').click()
    return listen(browser)


def answer(browser: Chrome, letter: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f'[data-answer="{letter}"]').click()


def text(browser: Chrome, part: str) -> str:
    return browser.find_element(By.ID, f"abx-{part}").text


def result(browser: Chrome) -> dict[str, Any]:
    found = browser.find_element(By.ID, "abx-json").get_property("value")
    content: dict[str, Any] = json.loads(str(found))
    return content


def test_all_right_is_told_and_x_is_not_to_be_seen(browser: Chrome, evaluation: Path) -> None:
    start(browser, evaluation, 8)
    drawn, seen = [], {"A": set(), "B": set()}  # type: tuple[list[str], dict[str, set[str]]]
    for trial in range(8):
        assert text(browser, "count") == f"Trial {trial + 1} of 8"
        assert not browser.find_element(By.CSS_SELECTOR, '[data-answer="A"]').is_enabled()
        x = play(browser)
        drawn.append(x)
        # Apart from what names the pair, the page looks the same whichever X is.
        seen[x].add(
            browser.execute_script(
                "const copy = document.getElementById('abx-trial').cloneNode(true);"
                "for (const one of copy.querySelectorAll('#abx-words, #abx-count, #abx-progress,"
                " .transport')) one.remove();"
                "copy.removeAttribute('style');"  # how far it has played
                "return copy.outerHTML + Object.keys(window)"
            )
        )
        answer(browser, x)
    assert len(seen["A"] | seen["B"]) == 1
    assert text(browser, "score") == "8 of 8 right, p = 0.00391"
    assert "you probably hear a difference" in text(browser, "verdict")
    assert "0.39 %" in text(browser, "verdict")
    content = result(browser)
    assert content["p"] == 2.0**-8
    assert [one["x"] for one in content["answers"]] == drawn
    assert [one["answer"] for one in content["answers"]] == drawn
    pairs = {(one["target"], one["clip"]) for one in content["answers"]}
    assert len(pairs) == 8  # ten fooled the classifier: none came twice
    assert ("low", "high") not in {(one["source"], one["target"]) for one in content["answers"]}
    rows = browser.find_elements(By.CSS_SELECTOR, "#abx-rows tr")
    assert [row.text.split()[-1] for row in rows] == ["yes"] * 8


def test_keys_alone_are_enough(browser: Chrome, evaluation: Path) -> None:
    start(browser, evaluation, 16)
    right = 0
    for trial in range(16):
        active = browser.switch_to.active_element
        if trial % 4 == 0:  # hearing the other two does not allow an answer yet
            active.send_keys("a")
            browser.switch_to.active_element.send_keys("b")
            browser.switch_to.active_element.send_keys("1")
            assert text(browser, "count") == f"Trial {trial + 1} of 16"
        browser.switch_to.active_element.send_keys("x")
        is_a = listen(browser) == "A"
        honest = trial % 3 > 0
        right += honest
        browser.switch_to.active_element.send_keys("1" if is_a == honest else "2")
    assert right == 10
    p = scipy.stats.binomtest(right, 16, alternative="greater").pvalue
    content = result(browser)
    assert (content["right"], content["trials"]) == (10, 16)
    assert content["p"] == pytest.approx(p, rel=1e-12)
    assert text(browser, "score") == f"10 of 16 right, p = {p:.3g}"
    assert "does not show that you hear a difference" in text(browser, "verdict")
    assert f"{100 * p:.1f} %" in text(browser, "verdict")


def test_chance_has_both_letters_and_every_order(browser: Chrome, evaluation: Path) -> None:
    browser.get(evaluation.as_uri())
    letters, orders = [], set()
    for _ in range(2):
        browser.find_element(By.CSS_SELECTOR, "#abx-start button").click()
        order = []
        for _ in range(8):
            order.append(text(browser, "words"))
            letters.append(play(browser))
            answer(browser, "A")
        orders.add(tuple(order))
        assert result(browser)["right"] == letters[-8:].count("A")
        browser.find_element(By.ID, "abx-again").click()
    assert set(letters) == {"A", "B"}  # but for once in 32,768 runs
    assert len(orders) == 2


def test_the_result_can_be_copied_and_leaves_nothing(browser: Chrome, evaluation: Path) -> None:
    start(browser, evaluation, 8)
    for _ in range(8):
        play(browser)
        answer(browser, "B")
    for permission in ("clipboardReadWrite", "clipboardSanitizedWrite"):
        browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": [permission]})
    browser.find_element(By.ID, "abx-copy").click()
    WebDriverWait(browser, 5).until(lambda _: text(browser, "copied") == "Copied.")
    browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    copied = browser.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)))"
    )
    assert json.loads(copied) == result(browser)
    kept = browser.execute_script("return JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "abx" not in kept.lower() and "answers" not in kept
    assert browser.execute_script("return document.cookie") == ""


def test_a_test_can_be_stopped(browser: Chrome, evaluation: Path) -> None:
    start(browser, evaluation, 8)
    play(browser, track=0)
    browser.find_element(By.ID, "abx-stop").click()
    assert browser.find_element(By.ID, "abx-start").is_displayed()
    assert not browser.find_element(By.ID, "abx-trial").is_displayed()
    assert browser.execute_script("return document.querySelectorAll('.playing').length") == 0
