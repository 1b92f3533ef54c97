"""What every request passes before the page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mondegreen.live.guard import MAX_BODY, POLICY, Guard


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole body and tell how long it was; give up when the sender is gone."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("gone")
        size += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(
    parts: list[bytes], headers: list[tuple[bytes, bytes]], limit: int, path: str = "/"
) -> list[Any]:
    """Send a request and return the messages that come back."""
    answers: list[Any] = []
    waiting = [
        {"type": "http.request", "body": part, "more_body": n < len(parts) - 1}
        for n, part in enumerate(parts)
    ]

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "headers": headers, "path": path}
    asyncio.run(Guard(echo, limit)(scope, receive, send))
    return answers


def test_the_browser_is_told_to_load_nothing_from_elsewhere() -> None:
    start, body = ask([b"abc"], [(b"content-length", b"3")], 10)
    assert (start["status"], body["body"]) == (200, b"3")
    assert (b"content-security-policy", POLICY.encode()) in start["headers"]
    assert "http" not in POLICY and "*" not in POLICY and "default-src 'self'" in POLICY


@pytest.mark.parametrize("length", [b"11", b"-1", b"many"])
def test_declared_floods_are_refused_unread(length: bytes) -> None:
    start, body = ask([b"x" * 11], [(b"content-length", length)], 10)
    assert start["status"] == 413
    assert body["body"] == b"This page takes files of up to 10 MB."


def test_undeclared_floods_end() -> None:
    with pytest.raises(ConnectionError):
        ask([b"12345"] * 3, [], 10)
    assert ask([b"12345"] * 2, [], 10)[1]["body"] == b"10"
    assert MAX_BODY > 10 * 2**20


def test_nobody_is_sent_elsewhere() -> None:
    assert ask([b""], [], 10, "/gradio_api/file=https://example.com/x")[0]["status"] == 404
