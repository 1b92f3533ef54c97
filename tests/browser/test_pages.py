"""What holds for the pages of an evaluation and of a comparison: themes, phones, no scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="needs the extra 'browser'")

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from mondegreen.report.drawings import contrast

pytestmark = pytest.mark.browser

TEXTS = """
const hex = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
  return a === 0 ? null : "#" + [r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("");
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim();
  const element = walker.currentNode.parentElement;
  if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
  if (element.closest("script, style, noscript, svg, .unseen, .skip, .more")) continue;
  let ground = null;
  for (let one = element; one && !ground; one = one.parentElement) {
    ground = hex(getComputedStyle(one).backgroundColor);
  }
  found.push([text, hex(getComputedStyle(element).color), ground]);
}
return found;
"""


@pytest.fixture(params=["evaluation", "comparison"])
def page(request: pytest.FixtureRequest) -> Path:
    """Each of the two pages."""
    found: Path = request.getfixturevalue(request.param)
    return found


def phone(browser: Chrome, width: int = 360) -> None:
    size = {"width": width, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def ground(browser: Chrome) -> str:
    script = "return getComputedStyle(document.body).backgroundColor"
    return str(browser.execute_script(script))


def test_the_theme_is_switched_and_kept(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    light = ground(browser)
    switch = browser.find_element(By.ID, "theme")
    assert switch.text == "Dark"
    switch.click()
    dark = ground(browser)
    assert dark != light and switch.text == "Light"
    browser.get(page.as_uri())
    assert ground(browser) == dark
    browser.find_element(By.ID, "theme").send_keys(Keys.ENTER)
    assert ground(browser) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: Chrome, page: Path, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(page.as_uri())
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    if browser.find_elements(By.CSS_SELECTOR, "#abx-start"):
        browser.find_element(By.CSS_SELECTOR, "#abx-start button").click()
        browser.find_element(By.CSS_SELECTOR, '#abx-trial [data-track="2"]').click()
    for details in browser.find_elements(By.TAG_NAME, "details"):
        browser.execute_script("arguments[0].open = true", details)
    texts = browser.execute_script(TEXTS)
    assert len(texts) > 100
    faint = [one for one in texts if contrast(one[1], one[2]) < 4.5]
    assert faint == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(browser: Chrome, page: Path, width: int) -> None:
    phone(browser, width)
    browser.get(page.as_uri())
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    for button in browser.find_elements(By.CSS_SELECTOR, ".play, .toggle, .primary"):
        if button.is_displayed():
            box = button.rect
            assert box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= width


def names(browser: Chrome) -> list[tuple[str, str]]:
    """Roles and names of what can be operated, as assistive software is told."""
    browser.execute_cdp_cmd("Accessibility.enable", {})
    tree: dict[str, list[dict[str, Any]]]
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    browser.execute_cdp_cmd("Accessibility.disable", {})
    wanted = {"button", "link", "slider", "checkbox", "radio", "textbox", "image", "progressbar"}
    nodes = [node for node in tree["nodes"] if not node["ignored"]]
    told = [node for node in nodes if node["role"]["value"] in wanted]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in told]


def test_everything_that_can_be_operated_has_a_name(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    found = names(browser)
    assert {"button", "link"} <= {role for role, _ in found}
    assert [role for role, name in found if not name.strip()] == []


def test_the_focus_is_seen_wherever_it_goes(browser: Chrome, page: Path) -> None:
    browser.get(page.as_uri())
    seen = set()
    for _ in range(25):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        tag, style, width = browser.execute_script(
            "const active = document.activeElement; const style = getComputedStyle(active);"
            "return [active.outerHTML.slice(0, 120), style.outlineStyle, style.outlineWidth]"
        )
        if tag.startswith("<body"):  # past the last one
            break
        assert style != "none" and float(width.removesuffix("px")) >= 2, tag
        seen.add(tag)
    assert len(seen) >= 10


def without_scripts(browser: Chrome, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page.as_uri())


def test_an_evaluation_can_be_read_without_scripts(browser: Chrome, evaluation: Path) -> None:
    without_scripts(browser, evaluation)
    groups = browser.find_elements(By.CSS_SELECTOR, ".group")
    assert len(groups) == 6 and all(group.is_displayed() for group in groups)
    cells = browser.find_elements(By.CSS_SELECTOR, "a.cell")
    assert [cell.text for cell in cells].count("100") == 5
    pictures = browser.find_elements(By.CSS_SELECTOR, ".track img, .track svg, .histogram")
    assert len(pictures) >= 2 * 3 * 13
    assert all(picture.is_displayed() and picture.size["height"] > 40 for picture in pictures)
    audio = browser.find_elements(By.TAG_NAME, "audio")
    assert len(audio) == 2 * 13 and all(one.is_displayed() for one in audio)
    assert not any(b.is_displayed() for b in browser.find_elements(By.TAG_NAME, "button"))
    assert "needs JavaScript" in browser.find_element(By.ID, "abx").text
    assert "20 of 24" in browser.find_element(By.TAG_NAME, "h1").find_element(By.XPATH, "..").text


def test_a_comparison_can_be_read_without_scripts(browser: Chrome, comparison: Path) -> None:
    without_scripts(browser, comparison)
    figures = browser.find_elements(By.CSS_SELECTOR, "svg.figure")
    assert len(figures) == 3 and all(figure.size["height"] > 200 for figure in figures)
    words = browser.find_element(By.ID, "words").text
    assert re.search(r"At 25 dB the generator succeeds in \d", words)


def test_figures_of_one_page_do_not_share_names(browser: Chrome, comparison: Path) -> None:
    browser.get(comparison.as_uri())
    twice = browser.execute_script(
        "const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);"
        "return ids.filter((id, place) => ids.indexOf(id) !== place)"
    )
    assert twice == []
