from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mondegreen.audio import read_audio
from mondegreen.errors import MondegreenError
from mondegreen.report.drawings import contrast
from mondegreen.report.formatting import number
from mondegreen.report.page import write_report
from mondegreen.report.pairs import load_pairs

Build = Callable[..., Path]
VOID = {"meta", "link", "img", "input", "path", "rect", "br"}
Attributes = dict[str, str]


class Page(HTMLParser):
    """Collects the elements and the text of a page, and checks that every element is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, Attributes]] = []
        self.text: list[str] = []
        self.inside: list[str] = []
        self.feed(self.source)
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

    def all(self, *tags: str) -> list[Attributes]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page(untouched: Path) -> Page:
    return Page(write_report(untouched))


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "poster", "data", "href", "action", "xlink:href"):
            if name in attributes:
                allowed = ("#", "https://doi.org/") if tag == "a" else ("data:",)
                assert attributes[name].startswith(allowed)
    assert not page.all("iframe", "object", "embed", "base")
    styles = (files("mondegreen.report") / "templates" / "report.css").read_text(encoding="utf-8")
    assert "url(" not in styles and "@import" not in styles


def test_the_browser_is_told_to_run_these_scripts_only(page: Page) -> None:
    policy = next(
        m["content"] for m in page.all("meta") if "content" in m and "none" in m["content"]
    )
    assert policy.startswith("default-src 'none'; ")
    scripts = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not any(name.startswith("on") for _, a in page.elements for name in a)


def test_every_pair_is_there_with_its_numbers(page: Page, untouched: Path) -> None:
    rows = re.findall(r"<tr><td>(\d/tone_\d\.wav)</td>(.*?)</tr>", page.source)
    pairs = load_pairs(untouched / "pairs.csv")
    assert len(rows) == len(pairs) == 12
    cells = {(clip, *re.findall(r"<td[^>]*>(.*?)</td>", rest)) for clip, rest in rows}
    for p in pairs:
        qualities = (number(p.snr_db), number(p.pesq_nb), "–", number(p.stoi, 3))
        assert (p.clip, p.before, p.after, *qualities) in cells


def test_headline_numbers_stand_beside_the_papers(page: Page) -> None:
    for text in ("6 of 12 attempts", "50.0 %", "paper: 92.3 %", "20.6 dB", "13.7 ms", "3.200"):
        assert text in page.words.replace(" ,", ",")
    for text in ("reported (paper)", "92.33 %", "20.27 dB", "3.087", "do not rank"):
        assert text in page.words
    for text in ("mondegreen evaluate --generator", "Toy CPU", "1 min 15 s", "no extra"):
        assert text in page.words
    assert "low/quiet.wav" in page.words
    assert "You hear “ low ”. It hears “ mid ”." in page.words  # of successes, the median SNR


def test_what_the_classifier_heard_is_told_label_by_label(page: Page) -> None:
    tables = re.findall(r'<table class="chances">.*?</table>', page.source, re.DOTALL)
    assert len(tables) == 4 + 1
    for table in tables[1:4]:
        rows = re.findall(r'<th scope="row">(\w+)', table)
        shown = [float(share) for share in re.findall(r"</span>([\d.]+) %", table)]
        assert set(rows) == {"low", "mid", "high"}
        assert shown[:2] == [1.2, 87.6] or shown[2:4] == [1.2, 87.6]  # of the target
    assert re.findall(r'<th scope="row">(\w+)', tables[4]) == ["high"]  # an older entry


def test_sounds_are_those_of_the_files(page: Page, untouched: Path, tmp_path: Path) -> None:
    sources = [audio["src"] for audio in page.all("audio")]
    assert len(sources) == 2 * (4 + 1)  # four pairs, and the one that the page opens with
    prefix = "data:audio/flac;base64,"
    assert all(source.startswith(prefix) for source in sources)
    decoded = tmp_path / "sound.flac"
    decoded.write_bytes(base64.b64decode(sources[2].removeprefix(prefix)))
    found, rate = read_audio(decoded)
    wanted, wanted_rate = read_audio(untouched / "samples" / "0.original.wav")
    assert rate == wanted_rate == 8000
    assert (found == wanted).all()
    gains = [float(d["data-gain-db"]) for d in page.all("div") if "data-gain-db" in d]
    assert gains == [20.0] * 5


def test_matrix_cells_lead_to_their_pairs(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    cells = [a for a in page.all("a") if "data-row" in a]
    assert len(cells) == 6
    for cell in cells:
        assert cell["href"] == f"#cell-{cell['data-row']}-{cell['data-column']}"
    assert cells[0]["aria-label"] == "low to mid: 100.0 % of 2 pairs"
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids


def test_it_can_be_used_without_eyes_or_mouse(page: Page) -> None:
    ids = {a["id"] for _, a in page.elements if "id" in a}
    assert page.all("html")[0]["lang"] == "en"
    assert all(image["alt"] for image in page.all("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    labels = {label["for"] for label in page.all("label") if "for" in label}
    sliders = [i for i in page.all("input") if i["type"] == "range"]
    assert len(sliders) == 4 + 1 + 1  # the pairs, the one that the page opens with, the test
    assert {slider["id"] for slider in sliders} == labels
    for _, attributes in page.elements:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    assert all("scope" in th for th in page.all("th"))
    assert all(button["type"] in ("button", "submit") for button in page.all("button"))


def test_script_finds_what_it_looks_for(page: Page) -> None:
    script = page.source.rsplit("<script>", 1)[1]
    ids = {a.get("id") for _, a in page.elements}
    wanted = set(re.findall(r'getElementById\("([\w-]+)"\)', script))
    assert len(wanted) >= 4 and wanted <= ids
    classes = {c for _, a in page.elements for c in a.get("class", "").split()}
    for name in re.findall(r'(?:all|querySelector)\("[a-z]*\.([a-z-]+)', script):
        assert name in classes | {"shown"}
    for name in re.findall(r'byId\("(\w+)"\)', script):
        assert f"abx-{name}" in ids


def test_colours_of_both_themes_contrast() -> None:
    css = (files("mondegreen.report") / "templates" / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r"--bg:[^}]*", css)
    assert len(blocks) == 3
    for block in blocks:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "muted", "accent", "original", "adversarial", "perturbation"):
            for ground in ("bg", "surface", "raised"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert blocks[1].split() == blocks[2].split()  # dark by choice and by preference are one


def test_reported_targets_are_shown_where_the_paper_has_them(build: Build, page: Page) -> None:
    assert "reported (paper, " not in page.words
    words = Page(write_report(build(("up", "off", "zebra")))).words
    assert "reported (paper, WideResNet on Speech Commands v0.01)" in words
    assert "95.3 % 21.55 3.151" in words


HOSTILE = ("<script>alert(1)</script>", "\"><img src=x onerror='alert(2)'>", "a & {{ b }} 'c'")


def test_hostile_names_stay_text(build: Build) -> None:
    def change(content: dict[str, Any]) -> None:
        content["command"] = content["classifier"]["name"] = HOSTILE[0]
        content["attack"] = {"name": HOSTILE[1], HOSTILE[0]: HOSTILE[1]}
        content["environment"] = {HOSTILE[0]: HOSTILE[1]}
        content["dataset"]["silent_clips"] = [HOSTILE[0]]

    page = Page(write_report(build(HOSTILE, change=change)))
    assert "alert(1)" not in "".join(re.findall(r"<script>.*?</script>", page.source, re.DOTALL))
    assert page.source.count("<script>") == 2
    assert all(image["src"].startswith("data:image/webp") for image in page.all("img"))
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    for name in HOSTILE:
        assert name in page.words


def test_a_page_without_sounds(build: Build) -> None:
    page = Page(write_report(build(sounds=0)))
    assert not page.all("audio", "img")
    assert "How easily is toy-net fooled?" in page.words
    assert "none was kept as sound" in page.words


def test_missing_sound_files_are_said(evaluation: Path) -> None:
    (evaluation / "samples" / "1.adversarial.wav").unlink()
    (evaluation / "samples" / "2.original.wav").unlink()
    page = Page(write_report(evaluation))
    assert page.words.count("Its sound files are not in samples/") == 2
    assert "2 pairs of 4 kept" in page.words
    assert len(page.all("audio")) == 2 * 3


def test_damaged_sounds_are_user_errors(evaluation: Path) -> None:
    path = evaluation / "samples" / "1.adversarial.wav"
    path.write_bytes((evaluation / "samples" / "1.original.wav").read_bytes()[:-100])
    with pytest.raises(MondegreenError, match=re.escape("1.adversarial.wav is truncated")):
        write_report(evaluation)
    path.write_bytes(b"RIFF")
    with pytest.raises(MondegreenError, match=re.escape("1.adversarial.wav")):
        write_report(evaluation)
    assert not (evaluation / "report.html").exists()


def test_files_of_two_evaluations_are_refused(build: Build) -> None:
    folder = build(sounds=0, change=lambda content: content.update(pairs=11))
    with pytest.raises(MondegreenError, match=r"holds 12 pairs, but results\.json counts 11"):
        write_report(folder)


def test_the_same_folder_gives_the_same_page(evaluation: Path) -> None:
    first = write_report(evaluation).read_bytes()
    assert write_report(evaluation).read_bytes() == first
    assert len(first) < 1_000_000
