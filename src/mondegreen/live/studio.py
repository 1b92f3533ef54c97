"""What the page does, without the page: a request in, HTML and numbers out, never a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.classifiers.classifier import predict
from mondegreen.errors import MondegreenError
from mondegreen.live.attacking import KINDS, UNIVERSAL_KINDS, Answer, Request, attack_clip
from mondegreen.live.channels import Channels
from mondegreen.live.clips import read_clip
from mondegreen.live.models import LiveModel
from mondegreen.live.quality import Pesq
from mondegreen.live.views import Views

EMPTY = "Record, upload or choose a clip, and a word that the classifier shall hear in it."
EMPTY_LISTEN = "Record or upload a clip to see what the classifier hears in it."
EMPTY_CHANNELS = "Attack a clip first, under “Attack”; then send it through channels here."
FAULT = "Something went wrong with this request. Try another clip; the terminal says more."


@dataclass(frozen=True)
class Shown:
    """What a request leads to."""

    html: str
    numbers: dict[str, Any]
    """The same for programs; ``{"error": …}`` where the request was refused."""
    answer: Answer | None = None
    """What the session keeps, to send it through channels."""


class Studio:
    """Answers requests. It keeps nothing of them: what a session needs again, the page keeps.

    Args:
        models: By the names they are chosen by.
        pesq: Scores the quality of an attacked clip.
        channels: What an attacked clip can be sent through.
        files: Folder that all uploads and examples lie in; others are refused.
    """

    def __init__(
        self, models: Mapping[str, LiveModel], pesq: Pesq, channels: Channels, files: Path
    ) -> None:
        self.models, self.paths = dict(models), channels
        self._pesq, self._files, self._views = pesq, files.resolve(), Views()

    def attack(self, path: str | None, model: str, request: Callable[[], Request]) -> Shown:
        """Attack an uploaded clip.

        Args:
            path: Where the upload lies; None where there is none yet.
            model: Name of the model.
            request: Makes the request, or raises what is wrong with it.
        """

        def work() -> Shown:
            chosen = self._model(model)
            clip = read_clip(self._inside(str(path)), chosen.classifier)
            answer = attack_clip(chosen, clip, request(), self._pesq)
            return Shown(self._views.answer(answer), answer.numbers(), answer)

        return self._empty(EMPTY) if not path else self._guarded(work)

    def listen(self, path: str | None, model: str) -> Shown:
        """Tell what a classifier hears in an uploaded clip."""

        def work() -> Shown:
            chosen = self._model(model)
            clip = read_clip(self._inside(str(path)), chosen.classifier)
            heard = predict(chosen.classifier, clip.x)[0]
            shares = {
                label: round(float(share), 6)
                for label, share in zip(chosen.classifier.labels, heard, strict=True)
            }
            best = max(shares, key=lambda label: shares[label])
            return Shown(
                self._views.heard(chosen, clip, heard),
                {"model": chosen.name, "heard": best, "probabilities": shares},
            )

        return self._empty(EMPTY_LISTEN) if not path else self._guarded(work)

    def channels(self, answer: Answer | None, chosen: Sequence[str], *, chain: bool) -> Shown:
        """Send the session's adversarial clip through channels.

        Args:
            answer: What the session attacked last.
            chosen: Channels from the list.
            chain: Send it through one after the other.
        """

        def work() -> Shown:
            assert answer is not None
            passages = list(self.paths.passages(answer, chosen, chain=chain))
            tried = [passage for passage in passages if not passage.reason]
            return Shown(
                self._views.passages(answer, passages),
                {
                    "target": answer.request.target,
                    "survives": {passage.channel: passage.survives for passage in tried},
                    "unavailable": {p.channel: p.reason for p in passages if p.reason},
                },
            )

        return self._empty(EMPTY_CHANNELS) if answer is None else self._guarded(work)

    def attack_kinds(self, model: str) -> list[tuple[str, str]]:
        """Return the attacks of a model as pairs of what people read and its short name."""
        kinds = {**KINDS, **{k: UNIVERSAL_KINDS[k] for k in self._model(model).universal}}
        return [(text, kind) for kind, text in kinds.items()]

    def text(self, name: str) -> str:
        """Return a part that does not change: ``head``, ``use``, ``unavailable``."""
        return self._views.text(name, unavailable=self.paths.unavailable)

    def _model(self, name: str) -> LiveModel:
        if name not in self.models:
            known = ", ".join(self.models)
            raise MondegreenError(f"this page has no model {name!r}; it has: {known}.")
        return self.models[name]

    def _inside(self, path: str) -> Path:
        """Return the path of an upload; anything outside of the page's own folder is refused."""
        try:
            found = Path(path).resolve()
        except (OSError, ValueError) as error:  # a null byte, a loop of links
            raise MondegreenError("That is no file of this page; upload it again.") from error
        if not found.is_relative_to(self._files):
            raise MondegreenError("That is no file of this page; upload it again.")
        return found

    def _guarded(self, work: Callable[[], Shown]) -> Shown:
        try:
            return work()
        except MondegreenError as error:
            text = str(error)
        except Exception:  # whatever a hostile file brings about: the page stays, the log tells
            traceback.print_exc(file=sys.stderr)
            text = FAULT
        return Shown(self._views.notice(text), {"error": text})

    def _empty(self, text: str) -> Shown:
        return Shown(self._views.notice(text, wrong=False), {"error": text})
