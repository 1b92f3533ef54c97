"""The page of a reproduction: whole, self-contained, and honest about what is missing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.report.drawings import contrast
from mondegreen.report.reproduction.claims import judge_all, tally
from mondegreen.report.reproduction.exhibit import Drawing
from mondegreen.report.reproduction.exhibits import exhibits
from mondegreen.report.reproduction.page import hear, write_exhibit, write_reproduction
from mondegreen.report.reproduction.results import Reproduction, load_reproduction
from mondegreen.report.reproduction.sentences import CLAIMS
from mondegreen.report.tables import Table

Content = dict[str, Any]
Build = Callable[..., Path]
Load = Callable[..., Reproduction]
VOID = {"meta", "link", "img", "input", "path", "br"}


class Page(HTMLParser):
    """Collects elements and text of a page, and checks that every element is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.inside: list[str] = []
        self.feed(source)
        self.close()
        assert self.inside == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def folder(untouched: Path) -> Path:
    """The folder of a whole run with its report; figures as SVG only."""
    assert write_reproduction(untouched, ("svg",)) == untouched / "report.html"
    return untouched


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_every_exhibit_has_its_files_and_its_place(folder: Path, page: Page) -> None:
    found = exhibits(load_reproduction(folder))
    ids = {a["id"] for _, a in page.elements if "id" in a}
    assert len({one.key for one in found}) == len(found)
    for one in found:
        assert f"exhibit-{one.key}" in ids and one.title in page.words
        if isinstance(one.content, Table):
            assert one.content.latex() in (folder / "tables" / f"{one.key}.tex").read_text()
            assert (folder / "tables" / f"{one.key}.md").read_text() == one.content.markdown()
        elif isinstance(one.content, Drawing):
            ElementTree.parse(folder / "figures" / f"{one.key}.svg")
        else:
            assert f"Missing: {one.content.reason}." in page.words
    places = {one.place for one in found}
    assert {"Fig. 4", "Fig. 5", "Fig. 6", "Fig. 7", "Fig. 8", "Fig. 9"} <= places
    assert {"Table 1", "Table 2", "footnote 3", "section V-E"} <= places
    pictures = sum(isinstance(one.content, Drawing) and one.content.coloured for one in found)
    assert len([a for a in page.all("img") if a["src"].startswith("data:image/svg")]) == pictures
    figures = [a for a in page.all("svg") if a.get("class") == "figure"]
    assert len(figures) + pictures == sum(isinstance(one.content, Drawing) for one in found)
    assert (folder / "tables" / "stages.md").is_file()
    assert (folder / "tables" / "claims.tex").is_file()


def test_every_claim_stands_with_its_verdict_and_some_exhibit(folder: Path, page: Page) -> None:
    judged = judge_all(load_reproduction(folder))
    for one in judged:
        assert one.claim.quote in page.words
    named = {key for one in exhibits(load_reproduction(folder)) for key in one.claims}
    assert named == {claim.key for claim in CLAIMS}
    for verdict, count in tally(judged).items():
        assert f"The run {verdict}" in page.words or verdict == "cannot say"
        assert f'"{verdict.replace(" ", "-")}">{count}<' in page.source


def test_reported_stands_beside_measured(page: Page) -> None:
    for text in ("92.33 %", "93.00 %", "90.58 %", "26.92", "231.46", "96.88 %", "0.0045"):
        assert text in page.words
    for text in ("Tones stand for speech.", "144.13 k parameters instead of 36.48 M", "Toy CPU"):
        assert text in page.words
    for text in ("mondegreen reproduce --preset cpu", "the loss became infinite", "fold-5"):
        assert text in page.words
    assert "mondegreen train speech/single/yes" in page.words
    assert "the printed reading reaches 20.0 % of the training at 35.6 dB" in page.words


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "poster", "data", "href", "action"):
            if name in attributes:
                allowed = {"a": ("#", "https://doi.org/"), "use": ("#",)}.get(tag, ("data:",))
                assert attributes[name].startswith(allowed)
    assert not page.all("iframe", "object", "embed", "base")
    style = (files("mondegreen.report") / "templates" / "reproduction.css").read_text()
    assert "url(" not in style and "@import" not in style
    policy = next(m["content"] for m in page.all("meta") if "none" in m.get("content", ""))
    scripts = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_it_can_be_used_without_eyes_mouse_or_script(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en" and len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    assert all("scope" in th for th in page.all("th"))
    sounds = page.all("audio")
    assert len(sounds) == 2 * 4
    assert all("controls" in sound and sound["aria-label"] for sound in sounds)
    for _, attributes in page.elements:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
        if "scroll" in attributes.get("class", "").split():
            assert attributes["tabindex"] == "0"
    for name in re.findall(r'getElementById\("([\w-]+)"\)', page.source):
        assert name in ids
    players = [a for a in page.all("div") if "player" in a.get("class", "").split()]
    assert len(players) == 4 and all(player["aria-label"] for player in players)


def test_verdicts_contrast_with_their_ground() -> None:
    templates = files("mondegreen.report") / "templates"
    style = (templates / "reproduction.css").read_text()
    used = set(re.findall(r"color: var\(--([a-z]+)\)", style))
    assert {"accent", "adversarial", "muted"} <= used
    for block in re.findall(r"--bg:[^}]*", (templates / "report.css").read_text()):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for ink in used:
            assert contrast(colours[ink], colours["surface"]) >= 4.5


def test_the_page_is_small_and_figures_are_the_same_each_time(folder: Path) -> None:
    assert len((folder / "report.html").read_bytes()) < 5_000_000
    found = load_reproduction(folder)
    for one in exhibits(found):
        if one.key in ("error-rates", "perturbations"):
            path = folder / "figures" / f"{one.key}.svg"
            before = path.read_bytes()
            again = write_exhibit(folder, one, [], ("svg",))
            assert path.read_bytes() == before
            assert str(again.svg) in (folder / "report.html").read_text(encoding="utf-8")


def nothing(content: Content) -> None:
    content["settings"], content["examples"], content["stages"] = [], [], []
    content["ablation"] = {"missing": "it was interrupted."}


def bare(content: Content) -> None:
    """A classifier each, and nothing else yet."""
    for setting in content["settings"]:
        for kind in setting["generators"]:
            setting["generators"][kind] = {"missing": "it was interrupted"}
        setting["comparison"] = setting["curves"] = {"missing": "it was interrupted"}
        setting["leak"] = {"missing": "it was interrupted"}
    content["ablation"]["runs"] = []
    content["examples"] = []


@pytest.mark.parametrize("change", [nothing, bare])
def test_missing_parts_give_a_page_that_says_so(
    build: Build, change: Callable[[Content], None]
) -> None:
    folder = build(change)
    page = Page(write_reproduction(folder, ("svg",)).read_text(encoding="utf-8"))
    assert "it was interrupted." in page.words and "it was interrupted.." not in page.words
    assert not page.all("audio") and not (folder / "figures").exists()
    for text in ("(Fig. 4)", "(Fig. 5)", "(Fig. 6)", "(Fig. 8)", "(Table 1)", "(Table 2)"):
        assert text in page.words
    for reported in ("92.33 %", "90.58 %", "231.46", "452.21"):
        assert reported in page.words


def test_sounds_that_are_not_at_hand_are_named(build: Build) -> None:
    folder = build(sounds=False)
    found = load_reproduction(folder)
    assert all(one.sound is None for one in hear(found))
    missing = [one.key for one in exhibits(found) if one.title.startswith("Perturbations")]
    assert missing == ["perturbations"]
    shown = {one.key: one.content for one in exhibits(found)}
    for key in ("perturbations", "clips-speech"):
        assert getattr(shown[key], "reason", "") == "its sounds are not at hand"


def test_damaged_sounds_are_user_errors(build: Build) -> None:
    def only_examples(content: Content) -> None:
        nothing(content)
        content["examples"] = [
            {
                "setting": "speech",
                "source": "on",
                "target": "go",
                "attack": "pso",
                "title": "t",
                "success": True,
                "original": "a.wav",
                "adversarial": "b.wav",
            }
        ]

    folder = build(only_examples, sounds=False)
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(b"RIFF")
    with pytest.raises(MondegreenError, match=re.escape("a.wav")):
        write_reproduction(folder, ("svg",))
    assert not (folder / "report.html").exists()


def test_hostile_texts_stay_text(build: Build) -> None:
    evil = "<script>alert(1)</script>"

    def change(content: Content) -> None:
        bare(content)
        content["command"] = content["settings"][0]["data"] = evil
        content["settings"][0]["remark"] = content["preset"] = evil
        content["stages"][0]["command"] = content["stages"][0]["reason"] = evil
        content["environment"] = {evil: evil}
        content["settings"][0]["generators"]["single"] = {"missing": evil}

    page = Page(write_reproduction(build(change), ("svg",)).read_text(encoding="utf-8"))
    assert page.source.count("<script>") == 2
    assert "alert(1)" not in "".join(re.findall(r"<script>.*?</script>", page.source, re.DOTALL))
    assert page.words.count(evil) >= 7
