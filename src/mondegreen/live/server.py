"""A web server around the page: its own folder, its own port, and nothing left behind."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from mondegreen.errors import MondegreenError
from mondegreen.live.clips import MAX_BYTES
from mondegreen.live.guard import Guard
from mondegreen.metrics.extras import require

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_ASSETS = Path(__file__).parent / "assets"


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a temporary folder for all uploads, which is deleted at the end.

    Gradio reads where to put files, and whether to report what is done with it, from the
    environment when it is imported; so this comes first.

    Raises:
        MissingExtraError: The package ``gradio`` is not installed.
    """
    require("gradio", "demo")
    with tempfile.TemporaryDirectory(prefix="mondegreen-serve-") as name:
        folder = Path(name).resolve()
        before = dict(os.environ)
        os.environ.update(
            GRADIO_TEMP_DIR=str(folder),
            GRADIO_ANALYTICS_ENABLED="False",
            HF_HUB_DISABLE_TELEMETRY="1",
            HF_HUB_OFFLINE="1",
        )
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


def sweep(folder: Path, before: float, keep: Path) -> None:
    """Delete what is older, such as uploads that were broken off, of which Gradio knows nothing.

    Args:
        folder: The page's.
        before: A time, in seconds since the epoch.
        keep: The folder of the ready clips.
    """
    for path in folder.rglob("*"):
        with suppress(OSError):  # Gradio deletes files, too
            if path.is_file() and keep not in path.parents and path.stat().st_mtime < before:
                path.unlink()


@contextmanager
def forgetting(folder: Path, keep: Path, seconds: float) -> Iterator[None]:
    """Delete files that are older than so many seconds, again and again."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(seconds / 6):
            sweep(folder, time.time() - seconds, keep)

    threading.Thread(target=work, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes any that is free.

    Raises:
        MondegreenError: The address cannot be had.
    """
    if not 0 <= port <= 65_535:
        raise MondegreenError(f"--port {port} is none; choose from 1 to 65535, or 0 for any.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise MondegreenError(f"--host {host} is no address of this machine ({error}).") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise MondegreenError(
            f"cannot listen at {host}:{port} ({error.strerror or error}). Choose another --port, "
            "or stop what is using it."
        ) from error
    return listening


def build_app(page: gr.Blocks, host: str) -> FastAPI:
    """Return the page as a web application.

    Args:
        page: The page.
        host: Where it will be served; on the loopback address, requests for other hosts' names are
            refused, with which foreign sites could reach into it.
    """
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from mondegreen.live.page import theme

    app = FastAPI(openapi_url=None)
    script = (_ASSETS / "live.js").read_text(encoding="utf-8")
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name=host,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        blocked_paths=["/etc", "/proc", "/sys", "/root", str(Path.home()), str(Path.cwd())],
        show_error=False,
        max_file_size=MAX_BYTES,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css_paths=[_ASSETS / "live.css"],
        head=f"<script>{script}</script>",
    )
    _read_uploads_only(page)
    if host in LOOPBACK:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    app.add_middleware(Guard)
    return app


def _read_uploads_only(page: gr.Blocks) -> None:
    """Let Gradio take files from its upload folder only, and fetch no addresses.

    Gradio checks the paths that requests name once it was launched; a page that is mounted counts
    as never launched, and any file of the machine could be asked for. Addresses it would fetch for
    everybody, from any control.
    """
    from gradio import processing_utils

    async def refuse(*_: object, **__: object) -> str:
        raise ValueError("this page takes uploads, no addresses")

    page.has_launched = page.is_running = True
    setattr(processing_utils, "async_ssrf_protected_download", refuse)  # noqa: B010


def serve(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until the process is interrupted or told to end.

    Args:
        app: The application.
        listening: Where requests come in; it is closed at the end.
        ready: Called when the page can be opened.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Connections that browsers keep open are cut off at the end, which is no error.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            self.should_exit = True  # and the signal is not raised again: the end is a clean one

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
    )
    kept = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if kept[signal.SIGHUP] is not signal.SIG_IGN:  # a terminal was closed: what was uploaded goes
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        Server(config).run(sockets=[listening])
    finally:
        listening.close()
        for one, handler in kept.items():
            signal.signal(one, handler)
