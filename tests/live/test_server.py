"""The page as it is served: what it lets in, whom it answers, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

import blocks
from mondegreen.cli.main import main
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.live.server import bind, own_folder, sweep

httpx = pytest.importorskip("httpx", reason="needs the extra 'demo'")
client = pytest.importorskip("gradio_client", reason="needs the extra 'demo'")

PATIENCE = 60.0
Wave = npt.NDArray[np.float64]
MODEL = "zoo:speech-commands"
LABELS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


def visitor(page: Any) -> Any:
    return client.Client(
        page.url, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": PATIENCE}
    )


def attack(person: Any, path: Path, target: str) -> Any:
    html, numbers = person.predict(
        client.handle_file(path), MODEL, target, 20, "generator", 5, 0, api_name="/attack"
    )
    return html, numbers


@pytest.fixture
def web() -> Iterator[Any]:
    """Asks without Gradio's client."""
    with httpx.Client(timeout=PATIENCE) as asking:
        yield asking


@pytest.fixture
def hum(tmp_path: Path, voice: Wave) -> Path:
    soundfile.write(tmp_path / "hum.wav", voice, 16_000)
    return tmp_path / "hum.wav"


def test_the_client_of_the_documentation_is_answered(
    page: Any, hum: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hum.rename(hum.with_name("hello.wav"))
    monkeypatch.chdir(hum.parent)
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    for block in blocks.blocks(blocks.ROOT / "docs/serve.md"):
        if block.language == "python":
            exec(block.code.replace("http://127.0.0.1:7860/", page.url), {})
    words = capsys.readouterr().out.splitlines()[-1].split()
    assert words[1] in LABELS and words[2] in ("True", "False") and float(words[3]) >= 20.0 - 1e-4


def test_the_page_asks_nothing_of_others(page: Any, web: Any) -> None:
    answer = web.get(page.url)
    assert answer.status_code == 200 and "Mondegreen" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    config = web.get(page.url + "config").json()
    assert config["analytics_enabled"] is False and config["footer_links"] == []
    theme = web.get(page.url + "theme.css").text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in theme and "https://" not in theme


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", __file__, "../etc/passwd"])
def test_no_file_of_the_machine_is_given_away(page: Any, web: Any, path: str) -> None:
    answer = web.get(f"{page.url}gradio_api/file={path}")
    assert answer.status_code in (403, 404)
    assert "root:" not in answer.text and "PATH=" not in answer.text


@pytest.mark.parametrize("path", ["/etc/hostname", "https://example.com/clip.wav"])
@pytest.mark.parametrize("endpoint", ["listen", "channels"])
def test_no_file_but_uploads_is_read(page: Any, web: Any, endpoint: str, path: str) -> None:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "x.wav"}
    data = {"listen": [file, MODEL], "channels": [[file], False]}[endpoint]
    call = web.post(f"{page.url}gradio_api/call/{endpoint}", json={"data": data})
    found = web.get(f"{page.url}gradio_api/call/{endpoint}/{call.json()['event_id']}")
    assert "event: error" in found.text and "section" not in found.text
    copied = {one.name for one in page.folder.rglob("*")} & {"hostname", "clip.wav"}
    assert copied == set()  # nor was it taken into the folder of the uploads


def test_other_names_of_this_machine_are_refused(page: Any, web: Any) -> None:
    assert web.get(page.url, headers={"host": "evil.example"}).status_code == 400


def test_floods_are_refused(page: Any, web: Any) -> None:
    size = 11 * 2**20
    answer = web.post(page.url + "gradio_api/upload", files={"files": ("x.wav", bytes(size))})
    assert answer.status_code == 413


def test_sixteen_sessions_get_their_own_answers(page: Any, tmp_path: Path, voice: Wave) -> None:
    words = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")

    def visit(n: int) -> tuple[float, str, str, bool]:
        path = tmp_path / f"{n}.wav"
        soundfile.write(path, np.concatenate([np.zeros(160 * n), voice]), 16_000)
        person = visitor(page)
        html, numbers = attack(person, path, words[n % 10])
        _, sent = person.predict(["gain:db=-12"], False, api_name="/channels")
        return numbers["seconds"], numbers["target"], sent["target"], words[n % 10] in html

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(visit, range(16)))
    expected = [(0.5 + n / 100, words[n % 10], words[n % 10], True) for n in range(16)]
    assert found == [(pytest.approx(seconds), *rest) for seconds, *rest in expected]


def test_a_new_session_knows_nothing_of_others(page: Any, hum: Path) -> None:
    attack(visitor(page), hum, "stop")
    html, numbers = visitor(page).predict(["gain:db=-12"], False, api_name="/channels")
    assert "Attack a clip first" in html and set(numbers) == {"error"}


def test_what_is_no_audio_gets_a_sentence(page: Any, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    html, numbers = attack(visitor(page), tmp_path / "text.wav", "stop")
    assert "text.wav cannot be decoded" in numbers["error"] and "Traceback" not in html


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_cleanly_and_leaves_nothing(
    how: signal.Signals, tmp_path: Path, hum: Path, serve: Any
) -> None:

    folder = tmp_path / "tmp"
    folder.mkdir()
    with serve(folder) as served:
        attack(visitor(served), hum, "stop")
        assert any(name.startswith("mondegreen-serve-") for name in served.left_behind())
        code, err = served.stop(how)
        assert code == 0 and "stopped" in err and "Traceback" not in err
        assert served.left_behind() == []


def test_what_is_old_is_swept_but_for_the_ready_clips(tmp_path: Path) -> None:
    for name in ("examples/ready.wav", "ab/old.wav", "ab/new.wav", "tmpold"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        if "new" not in name:
            os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path, time.time() - 60, tmp_path / "examples")
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"examples/ready.wav", "ab/new.wav"}


def test_a_port_that_is_taken_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port]) == 2
    assert f"127.0.0.1:{port}" in capsys.readouterr().err
    for host, wrong in (("127.0.0.1", 99_999), ("no.such.host.invalid", 0)):
        with pytest.raises(MondegreenError, match=r"--(host|port)"):
            bind(host, wrong)


def test_a_model_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0", "--generator", str(tmp_path / "nothing")]) == 2
    assert "nothing does not exist" in capsys.readouterr().err
    assert main(["serve", "--port", "0", "--generator", "zoo:nonsense"]) == 2
    assert main(["serve", "--port", "0", "--universal", str(tmp_path)]) == 2


def test_a_missing_extra_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"mondegreen\[demo\]"), own_folder():
        pass


def test_the_own_folder_is_gone_after_an_error() -> None:
    kept: list[Path] = []
    with pytest.raises(ValueError, match="oops"), own_folder() as folder:
        kept.append(folder)
        (folder / "upload.wav").write_text("x")
        raise ValueError("oops")
    assert not kept[0].exists() and "GRADIO_TEMP_DIR" not in os.environ
