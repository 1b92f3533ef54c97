"""``mondegreen serve``."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from mondegreen.cli.loading import classifier_folder
from mondegreen.cli.options import parse, say
from mondegreen.errors import MondegreenError
from mondegreen.live.attacking import warm_up
from mondegreen.live.channels import Channels
from mondegreen.live.examples import Example, folder_examples, synthetic_examples
from mondegreen.live.models import LiveModel, load_model
from mondegreen.live.quality import Pesq
from mondegreen.live.server import LOOPBACK, bind, build_app, forgetting, own_folder, serve
from mondegreen.live.studio import Studio
from mondegreen.metrics.pool import available_cores
from mondegreen.zoo import PREFIX, models, resolve


@dataclass(frozen=True)
class Serve:
    """Options of ``serve``."""

    generator: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction] = ()
    """Run folder of a generator to offer beside those that come with the package, or zoo:<name> to
    offer it first; may be repeated."""
    universal: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction] = ()
    """Run folder of universal perturbations or filters against a classifier of the page; may be
    repeated."""
    examples: Path | None = None
    """Folder with clips to choose from; by default synthetic voices, where eSpeak NG is there."""
    host: str = "127.0.0.1"
    """Address to serve at; 0.0.0.0 lets the whole network in."""
    port: int = 7860
    """Port to serve at; 0 takes any that is free."""


def run(words: Sequence[str]) -> None:
    """Parse the words and serve."""
    description = "A page to attack, hear and see clips in the browser. It stays on this machine."
    execute(parse(Serve, words, "serve", description))


def execute(options: Serve) -> None:
    """Serve the page until it is interrupted.

    Raises:
        MondegreenError: An extra or a model is missing, or the address is taken.
    """
    with own_folder() as folder, bind(options.host, options.port) as listening:
        offered = _models(options)
        cores = available_cores()
        torch.set_num_threads(1)  # requests run beside each other instead
        with Pesq(cores) as pesq:
            studio = Studio(offered, pesq, Channels(), folder)
            examples = _examples(options, offered, folder)
            from mondegreen.live.page import FORGET_SECONDS, build_page  # imports Gradio: seconds

            page = build_page(studio, examples, cores)
            app = build_app(page, options.host)
            warm_up(offered.values(), pesq)
            keeping = forgetting(folder, folder / "examples", FORGET_SECONDS)
            with _warm_channels(studio), keeping:
                serve(app, listening, lambda: _announce(options.host, listening.getsockname()[1]))
    say("stopped; the page's temporary folder is deleted.")


def _models(options: Serve) -> dict[str, LiveModel]:
    """Return the models by name, those that were named first."""
    names = [str(path) for path in options.generator] + [
        PREFIX + name for name in models(generators=True)
    ]
    offered = {}
    for name in dict.fromkeys(names):
        folder = resolve(Path(name))
        offered[name] = load_model(name, folder, classifier_folder(folder), options.universal)
    used = {id(attack) for model in offered.values() for attack in model.universal.values()}
    if options.universal and not used:
        raise MondegreenError(
            "--universal: none of the runs was trained against a classifier of this page. Name its "
            "generator by --generator."
        )
    return offered


def _examples(options: Serve, offered: dict[str, LiveModel], folder: Path) -> list[Example]:
    place = folder / "examples"
    place.mkdir()
    classifier = next(iter(offered.values())).classifier
    if options.examples is not None:
        return folder_examples(options.examples, classifier, place)
    return synthetic_examples(classifier, place)


@contextmanager
def _warm_channels(studio: Studio) -> Iterator[None]:
    """Try every channel in the background: rooms take seconds, and the page need not wait.

    The end waits for the channel at work: a process that ends amidst its native code is aborted.
    """
    ended = threading.Event()
    rates = {model.classifier.sample_rate for model in studio.models.values()}
    work = studio.paths.warm_up
    threads = [threading.Thread(target=work, args=(rate, ended), daemon=True) for rate in rates]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        ended.set()
        for one in threads:
            one.join()


def _announce(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    say(f"The live page is at http://{shown}:{port}/ (Ctrl-C ends it).")
    if host not in LOOPBACK:
        say(
            f"note: --host {host} lets everybody who can reach this machine use the page. Browsers "
            "give the microphone to pages at 127.0.0.1 or behind HTTPS only."
        )
