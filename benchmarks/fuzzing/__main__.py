"""Give every reader damaged files for a while; keep those that it stumbles over.

::

    python -m benchmarks.fuzzing --seconds 1800 --findings build/fuzzing --out results/fuzzing.json

A reader may return or raise MondegreenError, within five seconds of the processor, a minute on the
clock and a few GiB. Rows of readers that are not among ``--only`` stay in the result file. With
``--atheris`` (``pip install atheris``) the damage to one reader's file is guided by coverage.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any, NoReturn

import torch
from benchmarks.fuzzing.composed import every_reader
from benchmarks.fuzzing.readers import Reader, bytes_of

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json, write_json
from mondegreen.runs import command_line, environment

LIMIT_S, PATIENCE_S = 5.0, 60.0
MEMORY = 12 * 2**30


class TooSlowError(Exception):
    """A reader took longer than it may."""


def _too_slow(_: int, __: FrameType | None) -> NoReturn:
    raise TooSlowError


def stumble(reader: Reader, folder: Path, content: bytes) -> str | None:
    """Return how a reader fails at a file; None where it reads or refuses it."""
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)  # what waits for ever uses no processor
    try:
        reader.read(folder)
    except MondegreenError:
        return None
    except Exception:
        return traceback.format_exc()
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0.0)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.fuzzing", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time, in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzzing"))
    parser.add_argument("--out", type=Path, help="a result file")
    parser.add_argument("--only", nargs="*", help="readers; all by default")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage, one reader")
    options = parser.parse_args()
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    every = every_reader(options.results)
    readers = [reader for reader in every if not options.only or reader.name in options.only]
    if options.atheris:
        guided(readers[0], options.seconds)
    rows = {}
    if options.out is not None and options.out.exists():
        rows = {row["reader"]: row for row in read_json(options.out)["rows"]}
    found = 0
    for reader in readers:
        share = options.seconds / len(readers)
        row = _fuzz(reader, share, options.seed, options.findings)
        rows[reader.name], found = row, found + row["findings"]
        if options.out is not None:
            _write(options.out, list(rows.values()), options.seed)
    return 1 if found else 0


def _write(path: Path, rows: list[dict[str, Any]], seed: int) -> None:
    command = "python -m benchmarks.fuzzing " + command_line().partition(" ")[2]
    about = {"seed": seed, "command": command, "environment": environment()}
    write_json(path, {"format": 1, "rows": rows, **about})


def _fuzz(reader: Reader, seconds: float, seed: int, findings: Path) -> dict[str, Any]:
    rng = random.Random(f"{seed} {reader.name}")
    seen: set[str] = set()
    tried, start = 0, time.process_time()
    with tempfile.TemporaryDirectory() as name:
        whole = bytes_of(reader, Path(name))
        while time.process_time() - start < seconds:
            content = reader.damage(whole, rng)
            tried += 1
            said = stumble(reader, Path(name), content)
            where = said.strip().rsplit("\n  File ", 1)[-1].splitlines()[0] if said else ""
            if said is None or where in seen:
                continue
            seen.add(where)
            digest = hashlib.sha256(content).hexdigest()[:8]
            place = findings / f"{reader.name.replace(' ', '-')}-{digest}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            place.with_name(place.name + ".txt").write_text(said)
            print(f"{reader.name}: {place}: {said.strip().splitlines()[-1][:200]}", flush=True)
    print(f"{reader.name}: {tried} files, {len(seen)} findings", flush=True)
    spent = time.process_time() - start
    return {"reader": reader.name, "tried": tried, "findings": len(seen), "seconds": spent}


def guided(reader: Reader, seconds: float) -> NoReturn:
    """Let atheris choose the files; it ends the process."""
    import atheris

    with tempfile.TemporaryDirectory() as name:
        folder, corpus = Path(name) / "work", Path(name) / "corpus"
        folder.mkdir()
        corpus.mkdir()
        (corpus / "whole").write_bytes(bytes_of(reader, folder))

        def once(content: bytes) -> None:
            said = stumble(reader, folder, content)
            if said is not None:
                raise RuntimeError(said)

        for module in [one for name, one in sys.modules.items() if name.startswith("mondegreen")]:
            for value in list(vars(module).values()):
                if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                    atheris.instrument_func(value)
        atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", str(corpus)], once)
        atheris.Fuzz()
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main())
