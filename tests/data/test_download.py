from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mondegreen.data import download
from mondegreen.data.download import download_speech_commands
from mondegreen.data.speech_commands import TEN_WORDS, speech_commands
from mondegreen.errors import MondegreenError


def tar_of(members: dict[str, bytes], link: tuple[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link[0])
            info.type, info.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(info)
    return buffer.getvalue()


WORDS = {f"./{word}/00000000_nohash_0.wav": bytes(range(256)) * 9 for word in TEN_WORDS}
GOOD = tar_of(WORDS)


class Server:
    """A web server that serves one archive, and can misbehave."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges = True
        self.cut_after: int | None = None
        self.asked: list[str | None] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/archive.tar.gz"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                server.asked.append(wanted)
                if self.path != "/archive.tar.gz":
                    self.send_error(404)
                    return
                start = int(wanted[6:-1]) if wanted and server.ranges else 0
                if start >= len(server.content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-*/*")
                self.send_header("Content-Length", str(len(server.content) - start))
                self.end_headers()
                self.wfile.write(server.content[start : server.cut_after])

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], Server]]:
    servers: list[Server] = []

    def start(content: bytes) -> Server:
        servers.append(Server(content))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def fetch(server: Server, destination: Path, **options: bool) -> Path:
    checksum = hashlib.sha256(server.content).hexdigest()
    return download_speech_commands("0.02", destination, url=server.url, sha256=checksum, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("keep", [False, True])
def test_good_archive(serve: Callable[[bytes], Server], tmp_path: Path, keep: bool) -> None:
    server = serve(GOOD)
    destination = tmp_path / "new" / "words"
    assert fetch(server, destination, keep_archive=keep) == destination
    assert len(speech_commands(destination)) == 10
    for name, content in WORDS.items():
        assert (destination / name).read_bytes() == content
    archive = ["speech_commands_v0.02.tar.gz"] if keep else []
    assert names(tmp_path / "new") == [*archive, "words"]
    fetch(server, destination)
    assert len(server.asked) == 1, "what is there is not fetched again"


def test_an_empty_destination_is_filled(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    fetch(serve(GOOD), tmp_path / "words")
    assert len(names(tmp_path / "words")) == 10


def test_wrong_checksum(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"has the SHA-256 [0-9a-f]{64}, not af14739e"):
        download_speech_commands("0.02", tmp_path / "words", url=serve(GOOD).url)
    assert names(tmp_path) == []


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(
    serve: Callable[[bytes], Server], tmp_path: Path, ranges: bool
) -> None:
    server = serve(GOOD)
    server.ranges, server.cut_after = ranges, 100
    with pytest.raises(MondegreenError, match=f"broke off after 100 of {len(GOOD)} bytes"):
        fetch(server, tmp_path / "words")
    assert names(tmp_path) == ["speech_commands_v0.02.tar.gz.part"]
    server.cut_after = None
    fetch(server, tmp_path / "words")
    assert server.asked == [None, "bytes=100-"]
    assert names(tmp_path) == ["words"]


def test_a_part_that_is_whole_is_used(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    (tmp_path / "speech_commands_v0.02.tar.gz.part").write_bytes(GOOD)
    fetch(serve(GOOD), tmp_path / "words")
    assert names(tmp_path) == ["words"]


def test_an_archive_fetched_by_hand_is_used(tmp_path: Path) -> None:
    (tmp_path / "speech_commands_v0.01.tar.gz").write_bytes(GOOD)
    checksum = hashlib.sha256(GOOD).hexdigest()
    download_speech_commands("0.01", tmp_path / "words", sha256=checksum)
    assert names(tmp_path) == ["words"]


def test_an_archive_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """It may still be on its way here."""
    place = tmp_path / "speech_commands_v0.01.tar.gz"
    place.write_bytes(GOOD[:100])
    with pytest.raises(MondegreenError, match=r"which was there already, .* still being copied"):
        download_speech_commands("0.01", tmp_path / "words", sha256="0" * 64)
    assert place.read_bytes() == GOOD[:100]


def test_no_server_says_what_to_do_by_hand(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(MondegreenError, match=r"cannot reach .* by hand, save it as /"):
            download_speech_commands("0.02", tmp_path / "words", url=url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "nonsense"])
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(MondegreenError, match="neither http nor https"):
        download_speech_commands("0.02", tmp_path / "words", url=url)


def test_missing_on_the_server(serve: Callable[[bytes], Server], tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="answered 404"):
        download_speech_commands("0.02", tmp_path / "words", url=serve(GOOD).url + ".gone")


HOSTILE = {
    "parent": tar_of(WORDS | {"../escaped.txt": b"x"}),
    "absolute": tar_of(WORDS, ("yes/link", "/etc/passwd")),
    "link": tar_of(WORDS, ("yes/link", "../../escaped.txt")),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_paths(serve: Callable[[bytes], Server], tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MondegreenError, match="cannot be extracted"):
        fetch(serve(content), tmp_path / "inner" / "words")
    assert names(tmp_path) == ["inner"]
    assert names(tmp_path / "inner") == ["speech_commands_v0.02.tar.gz"]


DAMAGED = {
    "text": b"not an archive",
    "cut": GOOD[: len(GOOD) // 2],
    "overwritten": GOOD[:200] + bytes(100) + GOOD[300:],
    "other": tar_of({"a.txt": b"x"}),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_archives(serve: Callable[[bytes], Server], tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MondegreenError, match=r"cannot be extracted|does not hold the ten words"):
        fetch(serve(content), tmp_path / "words")
    assert names(tmp_path) == ["speech_commands_v0.02.tar.gz"]


def test_an_occupied_destination_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for destination in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(MondegreenError, match="already exists"):
            download_speech_commands("0.02", destination)
    assert names(tmp_path) == ["notes.txt"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MondegreenError, match="cannot write to"):
        download_speech_commands("0.02", tmp_path / "file" / "data" / "words")


def test_an_unknown_version(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match=r"choose 0\.01 or 0\.02"):
        download_speech_commands("0.03", tmp_path / "words")  # type: ignore[arg-type]


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(MondegreenError, match=r"cannot reach .*timed out"):
            download_speech_commands("0.02", tmp_path / "words", url=url)
