"""A classifier behind an HTTP address: a black box that answers with probabilities.

The protocol is small. ``POST`` takes ``{"sample_rate": 16000, "clips": [...]}`` whose clips are
16-bit mono WAV files in Base64; the answer is ``{"probabilities": [[...], ...]}``, a row a clip.
``GET`` of the same address may describe the service: ``{"labels": [...], "sample_rate": 16000,
"clip_samples": 16000, "version": "..."}``; one that has no such answer is asked all the same.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import math
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from typing import Any, ClassVar

import soundfile
import torch
from torch import Tensor, nn

from mondegreen.audio import float_to_pcm16
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import Model, Source, told
from mondegreen.errors import MondegreenError

TOKEN = "MONDEGREEN_HTTP_TOKEN"
"""Environment variable whose text is sent as a bearer token; it is written nowhere."""
AT_ONCE = 32
"""Clips of a request."""
TIMEOUT = 30.0
"""Seconds to wait for an answer."""
TRIES = 4
"""How often a request is sent before it has failed: when nothing answers, or the service is busy
(429) or broken (5xx)."""
PAUSE = 0.5
"""Seconds before the second try; each further one waits twice as long."""
MAX_PAUSE = 60.0
MAX_ANSWER = 64 * 2**20
"""Bytes of an answer that are read."""


class HttpService(Source):
    """A service that the user has named; it is sent clips."""

    kind = "http"
    unseen: ClassVar[str | None] = "sends clips to"

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by the scheme."""
        return text.startswith(("http://", "https://"))

    def model(self, options: ModelOptions) -> Model:
        """Ask the service what it is."""
        try:
            parts = urllib.parse.urlsplit(self.text)
        except ValueError as error:
            raise MondegreenError(f"{self.text} is no address ({error}).") from error
        if parts.username or parts.password:
            raise MondegreenError(
                f"an address with a password in it would be written to files; give a token in the "
                f"environment variable {TOKEN}, and the address without."
            )
        if not parts.hostname:
            raise MondegreenError(f"{self.text} names no host.")
        connection = Connection(self.text)
        facts = connection.description()
        labels, known = told(facts, self.text)
        rate = options.sample_rate or known.sample_rate
        if rate is None:
            raise MondegreenError(
                f"{self.text} does not say at which sample rate it hears: mondegreen adopt ... "
                "--sample-rate 16000, or sample_rate= in Python."
            )
        known = replace(known, layout="batch-1-time", scaling="unit")
        version = facts.get("version")
        return Model(
            Service(connection, options.model_rate or rate),
            parts.hostname,
            labels,
            known,
            identity=self.text if version is None else f"{self.text} {version}",
            black_box=True,
        )


class Service(nn.Module):
    """What is behind an address, as a module; it has no gradients.

    Args:
        connection: The way there.
        sample_rate: Of the clips, in Hz.
    """

    def __init__(self, connection: Connection, sample_rate: int) -> None:
        super().__init__()
        self.connection, self.sample_rate = connection, sample_rate

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities.

        Args:
            x: Waveforms, rounded to 16 bits on the way.

        Shape:
            - Input: ``(batch, 1, time)``
            - Output: ``(batch, labels)``, on the CPU

        Raises:
            MondegreenError: The service fails, or its answer is none.
        """
        return torch.cat([self._ask(part) for part in torch.split(x, AT_ONCE)])

    def _ask(self, x: Tensor) -> Tensor:
        clips = [as_wav(clip, self.sample_rate) for clip in float_to_pcm16(x[:, 0]).cpu()]
        body = {"sample_rate": self.sample_rate, "clips": clips}
        answer = self.connection.post(body)
        rows = answer.get("probabilities", answer.get("logits"))
        try:
            found = torch.as_tensor(rows, dtype=torch.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise MondegreenError(
                f"{self.connection.address}: the answer's probabilities are no table of numbers."
            ) from error
        if found.dim() != 2 or len(found) != len(x):
            raise MondegreenError(
                f"{self.connection.address}: {len(x)} clips were sent, and the answer has the "
                f"shape {tuple(found.shape)}; it has to have a row for each."
            )
        return found

    def extra_repr(self) -> str:
        """Name the host."""
        return self.connection.host


def as_wav(pcm: Tensor, sample_rate: int) -> str:
    """Return 16-bit samples as a WAV file in Base64.

    Shape:
        - pcm: ``(time,)``, int16
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm.numpy(), sample_rate, subtype="PCM_16", format="WAV")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Clips go where the user sent them, and nowhere else."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow nothing."""


class Connection:
    """Requests to one address, repeated where that may help.

    Args:
        address: The address.
        timeout: Seconds to wait for an answer.
        tries: How often to send a request.
        pause: Seconds before the second try.

    Attributes:
        requests: How many were sent, repeated ones included.
    """

    def __init__(
        self, address: str, *, timeout: float = TIMEOUT, tries: int = TRIES, pause: float = PAUSE
    ) -> None:
        self.address, self.timeout, self.tries, self.pause = address, timeout, tries, pause
        self.host = urllib.parse.urlsplit(address).netloc
        self.requests = 0
        self._opener = urllib.request.build_opener(_NoRedirects)

    def description(self) -> dict[str, Any]:
        """Return what the service says of itself; empty where it does not.

        Raises:
            MondegreenError: Nothing answers at the address.
        """
        try:
            return self._answer(None)
        except _RefusedError as error:
            if error.code in (401, 403):
                raise MondegreenError(f"{error} Give a token in {TOKEN}.") from error
            return {}
        except _NoObjectError:
            return {}

    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send an object and return the one that is answered.

        Raises:
            MondegreenError: Nothing answers, the request is refused, or the answer is no object.
        """
        return self._answer(json.dumps(body).encode())

    def _answer(self, body: bytes | None) -> dict[str, Any]:
        text = self._repeated(body)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _NoObjectError(f"{self.address}: the answer is not JSON ({error}).") from error
        if not isinstance(answer, dict):
            raise _NoObjectError(f"{self.address}: the answer is not a JSON object.")
        return answer

    def _repeated(self, body: bytes | None) -> bytes:
        for attempt in range(self.tries):
            try:
                return self._once(body)
            except urllib.error.HTTPError as error:
                last = attempt + 1 == self.tries
                if last or not (error.code == 429 or error.code >= 500):
                    raise _RefusedError(self.address, error) from error
                wait = _retry_after(error)
            except (OSError, http.client.HTTPException) as error:
                if attempt + 1 == self.tries:
                    reason = getattr(error, "reason", None) or error
                    raise MondegreenError(
                        f"{self.address} does not answer ({reason}), tried {self.tries} times. Is "
                        "it running, and is the address right?"
                    ) from error
                wait = None
            time.sleep(min(MAX_PAUSE, self.pause * 2**attempt if wait is None else wait))
        raise AssertionError("a request is tried once at least")

    def _once(self, body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token := os.environ.get(TOKEN, "").strip():
            if not (token.isascii() and token.isprintable()):
                raise MondegreenError(f"{TOKEN} holds characters that no token can have.")
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.address, data=body, headers=headers)
        self.requests += 1
        with self._opener.open(request, timeout=self.timeout) as answer:
            text: bytes = answer.read(MAX_ANSWER + 1)
        if len(text) > MAX_ANSWER:
            raise MondegreenError(f"{self.address}: the answer is larger than {MAX_ANSWER} bytes.")
        return text


class _NoObjectError(MondegreenError):
    """The answer is no JSON object."""


class _RefusedError(MondegreenError):
    """The service answers with an error."""

    def __init__(self, address: str, error: urllib.error.HTTPError) -> None:
        self.code = error.code
        with error:
            said = error.read(300).decode("utf-8", "replace").strip()
        moved = error.headers.get("Location") if 300 <= error.code < 400 else None
        shown = f"it has moved to {moved}; name that address" if moved else said or error.reason
        super().__init__(f"{address} answers {error.code}: {shown}.")


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    """Return how many seconds a busy service asks to wait."""
    try:
        wait = float(error.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return wait if math.isfinite(wait) and wait >= 0.0 else None
