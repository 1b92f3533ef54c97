"""A network on the waveform as somebody else would export it, and how they would serve it."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import soundfile
import torch
from torch import Tensor, nn

LABELS = ("low", "middle", "high")
RATE = 8000
SAMPLES = 2000


class Raw(nn.Module):
    """Hears tones: three filters at 300, 900 and 2700 Hz, their levels times a gain."""

    def __init__(self) -> None:
        super().__init__()
        time = torch.arange(160) / RATE
        waves = [
            torch.sin(2 * torch.pi * hertz * time + turn)
            for hertz in (300, 900, 2700)
            for turn in (0.0, torch.pi / 2)
        ]
        self.filters = nn.Conv1d(1, 6, 160, stride=40, bias=False)
        self.filters.weight = nn.Parameter(torch.stack(waves)[:, None] / 80.0)
        self.head = nn.Linear(3, 3, bias=False)
        self.head.weight = nn.Parameter(8.0 * torch.eye(3) - 2.0)

    def forward(self, audio: Tensor) -> Tensor:
        energy = self.filters(audio).square()
        level = (energy[:, 0::2] + energy[:, 1::2]).mean(dim=2) + 1e-8
        answer: Tensor = self.head(level.log())
        return answer


def scripted(path: Path) -> None:
    torch.jit.save(torch.jit.script(Raw().eval()), str(path))


def exported(path: Path, *, facts: dict[str, Any] | None = None, batch: int | None = None) -> None:
    sizes = None if batch else ({0: torch.export.Dim("batch", min=1)},)
    program = torch.export.export(
        Raw().eval(), (torch.zeros(batch or 2, 1, SAMPLES),), dynamic_shapes=sizes
    )
    extra = {} if facts is None else {"mondegreen.json": json.dumps(facts)}
    torch.export.save(program, str(path), extra_files=extra)


def as_onnx(
    path: Path,
    *,
    facts: dict[str, str] | None = None,
    batch: int | None = None,
    network: nn.Module | None = None,
    samples: int = SAMPLES,
    kind: torch.dtype = torch.float32,
) -> None:
    import onnx

    sizes = None if batch else ({0: torch.export.Dim("batch", min=1)},)
    example = (torch.zeros(batch or 2, 1, samples, dtype=kind),)
    program = torch.onnx.export(
        (network or Raw()).eval(), example, dynamo=True, verbose=False, dynamic_shapes=sizes
    )
    assert program is not None
    model = program.model_proto
    for key, value in (facts or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(path))


class Handler(BaseHTTPRequestHandler):
    """A service of the protocol; ``server.answers`` may hold errors that come first."""

    server: Service

    def do_GET(self) -> None:
        self.server.seen.append(("GET", dict(self.headers), None))
        described = self.server.described
        self._send(404 if described is None else 200, described or {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(("POST", dict(self.headers), body))
        if self.server.answers:
            self._send(*self.server.answers.pop(0))
            return
        clips = []
        for text in body["clips"]:
            samples, rate = soundfile.read(io.BytesIO(base64.b64decode(text)), dtype="float32")
            assert rate == body["sample_rate"]
            clips.append(torch.from_numpy(samples))
        with torch.no_grad():
            found = self.server.network(torch.stack(clips)[:, None]).softmax(dim=1)
        self._send(200, {"probabilities": found.tolist()})

    def _send(self, code: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        text = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


class Service(ThreadingHTTPServer):
    def __init__(self, network: nn.Module) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.network = network
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.answers: list[tuple[Any, ...]] = []
        self.described: dict[str, Any] | None = {
            "labels": list(LABELS),
            "sample_rate": RATE,
            "clip_samples": SAMPLES,
            "version": "1",
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/listen"


@contextmanager
def served(network: nn.Module | None = None) -> Iterator[Service]:
    service = Service(network or Raw())
    thread = threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()
