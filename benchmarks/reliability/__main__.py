"""Provoke every fault on every long command, and write what was lost: ``docs/reliability.md``.

::

    python -m benchmarks.reliability --data speech_commands --out results/reliability.json

Rows that the result file holds already are kept, so that the campaign itself can be killed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.reliability.campaign import kinds_of, provoke
from benchmarks.reliability.commands import link_clips, prepare
from benchmarks.reliability.killing import Bench, fork_server

from mondegreen.files import read_json, write_json
from mondegreen.runs import command_line, environment


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.reliability", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Speech Commands' folder")
    parser.add_argument("--out", type=Path, required=True, help="the result file")
    parser.add_argument("--times", type=int, default=20, help="how often each command is killed")
    parser.add_argument("--seed", type=int, default=1024)
    parser.add_argument("--only", nargs="*", help="commands; all by default")
    options = parser.parse_args()
    found = read_json(options.out) if options.out.exists() else {}
    rows: list[dict[str, Any]] = found.get("rows", [])
    starts: dict[str, float] = found.get("starts", {})
    with tempfile.TemporaryDirectory(prefix="reliability-") as name:
        folder, server = Path(name), fork_server()
        link_clips(options.data, folder / "clips")
        (folder / "setup").mkdir()
        commands = prepare(folder / "setup", folder / "clips", server)
        for command, words in commands.items():
            if options.only and command not in options.only:
                continue
            done = {(row["command"], row["fault"]) for row in rows}
            kinds = [kind for kind in kinds_of(command) if (command, kind.name) not in done]
            if not kinds and command in starts:
                continue
            bench = Bench(words, folder / command.replace(" ", "-"), server)
            whole = bench.whole()
            starts[command] = whole.again_seconds / whole.seconds
            _write(options, rows, starts)
            for kind in kinds:
                row = provoke(bench, kind, whole, options.times, options.seed)
                size = {"whole_seconds": whole.seconds, "operations": whole.operations}
                rows.append({"command": command, **row, **size})
                _write(options, rows, starts)
                print(
                    f"{command} ({whole.seconds:.1f} s): {kind.name}: {row['identical']} of "
                    f"{row['provoked']} identical"
                )


def _write(
    options: argparse.Namespace, rows: list[dict[str, Any]], starts: dict[str, float]
) -> None:
    content = {
        "format": 1,
        "seed": options.seed,
        "starts": starts,
        "rows": rows,
        "command": "python -m benchmarks.reliability " + command_line().partition(" ")[2],
        "environment": environment(),
    }
    write_json(options.out, content)


if __name__ == "__main__":
    main()
