"""A run: one folder that holds what was asked, what happened and what came out.

``config.json env.json metrics.jsonl checkpoints/{latest,best}/ samples/ results.json report.html``
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mondegreen.configs import to_dict
from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write, read_json, write_json, write_text


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
    no result is overwritten by accident.

    Args:
        folder: Created where it is missing.
        config: The configuration dataclass of the command.

    Raises:
        MondegreenError: The folder holds a run with another configuration, or cannot be written.
    """

    def __init__(self, folder: Path, config: Any) -> None:
        self.folder = folder
        wanted = to_dict(config)
        path = folder / "config.json"
        if path.exists() and _never_begun(folder):
            write_json(path, wanted)
        elif path.exists():
            _refuse_other(path, wanted)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise MondegreenError(f"{folder} exists and is not a run. Choose another --out.")
        else:
            try:
                write_json(path, wanted)
            except ValueError as error:
                raise MondegreenError(
                    "an option is NaN or infinite; give a finite number."
                ) from error
        if not (folder / "env.json").exists():
            write_json(folder / "env.json", environment() | {"command": command_line()})

    @property
    def latest(self) -> Path:
        """Folder of the newest checkpoint."""
        return self.folder / "checkpoints" / "latest"

    @property
    def best(self) -> Path:
        """Folder of the best checkpoint."""
        return self.folder / "checkpoints" / "best"

    def log(self, step: int, metrics: dict[str, float | None]) -> None:
        """Append one line to ``metrics.jsonl``."""
        line = json.dumps({"step": step} | metrics)
        try:
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise MondegreenError(f"cannot write {self.folder}: {error.strerror}.") from error

    def metrics(self) -> list[dict[str, float | None]]:
        """Return the lines of ``metrics.jsonl`` up to one that is half-written or damaged."""
        return read_metrics(self.folder)

    def save_state(self, state: dict[str, Any]) -> None:
        """Write the state that a training needs to continue, atomically."""
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
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            step = int(dict(state)["step"])
        except Exception as error:  # torch raises many kinds for a damaged file
            raise MondegreenError(
                f"{path} is damaged ({error}). Delete {self.folder} to begin again."
            ) from error
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


def _never_begun(folder: Path) -> bool:
    """Tell whether a run ended before it did anything, say for a wrong option."""
    return {path.name for path in folder.iterdir()} <= {"config.json", "env.json"}


def _refuse_other(path: Path, wanted: dict[str, Any]) -> None:
    found = read_json(path)
    if found == wanted:
        return
    names = sorted(set(found) | set(wanted)) if isinstance(found, dict) else []
    differing = [name for name in names if found.get(name) != wanted.get(name)]
    raise MondegreenError(
        f"{path.parent} holds a run with another configuration (differs in: "
        f"{', '.join(differing) or 'everything'}). Choose another --out or delete that folder."
    )
