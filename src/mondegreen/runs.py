"""A run: one folder that holds what was asked, what happened and what came out.

``config.json env.json metrics.jsonl checkpoints/{latest,best}/ samples/ results.json report.html``,
and ``tensorboard/`` where asked for.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import shlex
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import torch

from mondegreen.board import Board
from mondegreen.configs import free_fields, to_dict, with_defaults
from mondegreen.errors import MondegreenError
from mondegreen.files import (
    atomic_write,
    is_leftover,
    read_json,
    remove_leftovers,
    write_json,
    write_text,
)
from mondegreen.ownership import was_begun

_LOCK = ".lock"
_BOARD = "tensorboard"


def environment() -> dict[str, Any]:
    """Describe the software and the machine, for result files."""
    return {
        "mondegreen": version("mondegreen"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 1,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def command_line() -> str:
    """Return the command that was typed, for result files.

    The folder that the variable MONDEGREEN_DATA names is written as the variable, so that the
    command can be repeated where the data lie elsewhere.
    """
    name = Path(sys.argv[0]).name
    words = ["mondegreen" if name == "__main__.py" else name, *sys.argv[1:]]
    return " ".join(quote(word) for word in words)


def summary_line(step: int, metrics: dict[str, float | None]) -> str:
    """Return what was logged as one line, for the logs of batch systems.

    Example:
        >>> summary_line(12, {"loss": 0.30411, "validation/accuracy": 0.9, "seconds": 3.24})
        'step 12: loss 0.3041, validation/accuracy 0.9, seconds 3.24'
    """
    shown = [f"{name} {value:.4g}" for name, value in metrics.items() if value is not None]
    return f"step {step}: {', '.join(shown)}"


def quote(word: str) -> str:
    """Quote a word for the shell, with the folder $MONDEGREEN_DATA at its start as the variable."""
    data = os.environ.get("MONDEGREEN_DATA", "").rstrip("/")
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    whole = value == data and "/" in data  # a mere "data" may also be the name of a command
    if not data or not (whole or value.startswith(data + "/")):
        return shlex.quote(word)
    rest = value[len(data) :]
    return option + equals + "$MONDEGREEN_DATA" + (shlex.quote(rest) if rest else "")


class Run:
    """A run's folder, opened to begin or to continue.

    The same configuration in the same folder continues; another configuration is refused, so that
    no result is overwritten by accident. What an older version did not know stands for its default,
    and fields that change no result may differ. As long as this object lives, no other process can
    open the folder, and what one that was killed left half-written is removed.

    Args:
        folder: Created where it is missing.
        config: The configuration dataclass of the command.
        tensorboard: Whether what is logged is written for TensorBoard, too.
        shared: Let other processes and machines that say so, too, into the folder at the same time.

    Attributes:
        clips: Fingerprint of the clips that are trained on, where a training says it: a state that
            was saved with others is refused.

    Raises:
        MondegreenError: The folder holds a run with another configuration, another process works
            in it, or it cannot be written.
    """

    def __init__(
        self, folder: Path, config: Any, *, tensorboard: bool = False, shared: bool = False
    ) -> None:
        self.folder = folder
        self.clips: str | None = None
        self.board = Board(folder / _BOARD if tensorboard else None)
        wanted = to_dict(config)
        try:
            json.dumps(wanted, allow_nan=False)
        except ValueError as error:
            raise MondegreenError("an option is NaN or infinite; give a finite number.") from error
        path = folder / "config.json"
        found = _content(folder)
        begun = bool(found - {"config.json", "env.json", _BOARD})  # else it ended before that
        known = path.exists() if begun or _BOARD in found else True
        if not known or (not begun and not was_begun(folder, wanted)):
            raise MondegreenError(f"{folder} exists and is not a run. Choose another --out.")
        if begun:
            _refuse_other(path, config, wanted)
        self._lock = lock_folder(folder, shared=shared)
        if not shared:  # else others may be at these files
            remove_leftovers(folder)
        if not begun:
            write_json(path, wanted)
        if not (folder / "env.json").exists():
            write_json(folder / "env.json", environment() | {"command": command_line()})

    @property
    def latest(self) -> Path:
        """Folder of the newest checkpoint."""
        return self.folder / "checkpoints" / "latest"

    @property
    def last_good(self) -> str:
        """Where what was learned so far is kept, as the end of an error message."""
        if self.latest.is_dir():
            return f"the last good state is in {self.latest}"
        return "nothing was saved yet"

    @property
    def best(self) -> Path:
        """Folder of the best checkpoint."""
        return self.folder / "checkpoints" / "best"

    def log(self, step: int, metrics: dict[str, float | None], *, steps: int | None = None) -> None:
        """Append one line to ``metrics.jsonl``, and show it where no progress bar does.

        Args:
            step: Where the training is.
            metrics: What was measured.
            steps: Optimiser steps taken, where ``step`` counts something else; for TensorBoard.
        """
        if not sys.stderr.isatty():
            print(summary_line(step, metrics), file=sys.stderr, flush=True)
        if not (self.folder / "config.json").exists():
            raise MondegreenError(
                f"{self.folder} was moved or deleted while it was written to. Put it back, or "
                "begin again in another --out."
            )
        line = json.dumps({"step": step} | metrics)
        try:
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise MondegreenError(f"cannot write {self.folder}: {error.strerror}.") from error
        self.board.scalars(step if steps is None else steps, metrics)

    def metrics(self) -> list[dict[str, float | None]]:
        """Return the lines of ``metrics.jsonl`` up to one that is half-written or damaged."""
        return read_metrics(self.folder)

    def save_state(self, state: dict[str, Any]) -> None:
        """Write the state that a training needs to continue, atomically.

        Its ``step`` is where the log is; ``steps``, if it has them, are the optimiser's.
        """
        state = state if self.clips is None else state | {"clips": self.clips}
        self.board.flush()  # whoever continues from this state counts on what came before
        with atomic_write(self.latest / "state.pt") as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # torch reports a full disk so
                raise OSError(str(error).splitlines()[0]) from error

    def load_state(self) -> dict[str, Any] | None:
        """Return the saved state and drop the metrics logged after it; None for a fresh run.

        Raises:
            MondegreenError: The state is damaged.
        """
        path = self.latest / "state.pt"
        if not path.is_file():
            (self.folder / "metrics.jsonl").unlink(missing_ok=True)
            shutil.rmtree(self.folder / _BOARD, ignore_errors=True)
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            step = int(dict(state).get("logged", state["step"]))
            self.board.begin(int(state.get("steps", state["step"])))
        except Exception as error:  # torch raises many kinds for a damaged file
            raise MondegreenError(
                f"{path} is damaged ({error}). Delete {self.folder} to begin again."
            ) from error
        if self.clips is not None and state.get("clips", self.clips) != self.clips:
            raise MondegreenError(
                f"the training clips are others than when {self.folder} was begun. Put them back, "
                "or choose another --out."
            )
        rows = [row for row in self.metrics() if (row["step"] or 0) <= step]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_text(self.folder / "metrics.jsonl", text)
        return state

    def finish(self, summary: dict[str, Any]) -> None:
        """Write ``summary.json`` once: what came out, beside the command and the machine."""
        if (self.folder / "summary.json").exists():
            return
        seconds = [row.get("seconds") for row in self.metrics()]
        spent = sum(value or 0.0 for value in seconds) if None not in seconds else None
        about = {"training_seconds": spent, "command": command_line()}
        summary = {**summary, **about, "environment": environment()}
        write_json(self.folder / "summary.json", summary)


def read_metrics(folder: Path) -> list[dict[str, float | None]]:
    """Return the lines of a run's ``metrics.jsonl`` up to one that is half-written or damaged."""
    path = folder / "metrics.jsonl"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    rows = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not isinstance(row, dict) or not isinstance(row.get("step"), int):
            break
        rows.append(row)
    return rows


def _content(folder: Path) -> set[str]:
    """Return the names in a folder, but for those that a run leaves before it does anything."""
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise MondegreenError(f"{folder} exists and is not a run. Choose another --out.")
    return {path.name for path in folder.iterdir() if path.name != _LOCK and not is_leftover(path)}


def lock_folder(folder: Path, *, shared: bool = False) -> IO[str]:
    """Keep other processes out of a folder as long as the file that is returned lives.

    A shared lock keeps only those out that do not share.

    Raises:
        MondegreenError: Another one is in it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("a+")
    except OSError as error:
        raise MondegreenError(
            f"cannot write {folder}: {error.strerror}. Choose another output folder."
        ) from error
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.lockf(file, kind | fcntl.LOCK_NB)  # ends with the process, however it ends
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            file.close()
            raise MondegreenError(
                f"another process is working in {folder}; wait for it, or choose another --out."
            ) from error
        # A file system without locks: then nobody is kept out.
    return file


def _refuse_other(path: Path, config: Any, wanted: dict[str, Any]) -> None:
    found = read_json(path)
    names: list[str] = []
    if isinstance(found, dict):
        found = with_defaults(config, found)
        names = sorted((set(found) | set(wanted)) - free_fields(config))
        if all(name in found and found[name] == wanted.get(name) for name in names):
            return
    differing = [name for name in names if found.get(name) != wanted.get(name)]
    raise MondegreenError(
        f"{path.parent} holds a run with another configuration (differs in: "
        f"{', '.join(differing) or 'everything'}). Choose another --out or delete that folder."
    )
