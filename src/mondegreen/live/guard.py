"""What every request passes before the page: no foreign content, no foreign hosts, no floods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mondegreen.live.clips import MAX_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = MAX_BYTES + 2**16
"""Bytes of a request: a file and what wraps it."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)
"""The browser loads nothing from elsewhere, whatever a library asks for."""

_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Guard:
    """Adds the headers to every answer; refuses bodies that are too large, and addresses as paths.

    Args:
        app: What answers the requests.
        max_body: The most bytes that a request may have.
    """

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY) -> None:
        self._app, self._max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "://" in scope.get("path", ""):  # Gradio would send the browser there
            await self._refuse(send, 404, "There is no such place.")
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._max_body:
            text = f"This page takes files of up to {MAX_BYTES / 2**20:.0f} MB."
            await self._refuse(send, 413, text)
            return
        left = self._max_body

        async def receive_some() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            # A body without a length that goes on and on: to the page, the browser is gone.
            return message if left >= 0 else {"type": "http.disconnect"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await self._app(scope, receive_some, send_with_headers)

    async def _refuse(self, send: Send, status: int, text: str) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS],
            }
        )
        await send({"type": "http.response.body", "body": text.encode()})
