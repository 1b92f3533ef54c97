"""The finished batches of a measurement that is not finished: one file each, in one folder."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write, read_json, write_json

Arrays = dict[str, npt.NDArray[Any]]


class Partial:
    """A folder of finished batches, continued after the last one; removed when all are done.

    Files are written whole or not at all, so a process that is killed loses only the batch that it
    was at. They hold plain arrays, nothing that is executed when it is read.

    Args:
        folder: Made with the first batch.
        settings: What the measurement is made with: JSON-ready.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings

    def found(self) -> Any:
        """Return the settings of the batches that lie there; None where there are none.

        Raises:
            MondegreenError: Their file is damaged.
        """
        path = self.folder / "settings.json"
        return read_json(path) if path.exists() else None

    def __len__(self) -> int:
        """Return the number of finished batches."""
        return len(list(self.folder.glob("*.npz")))

    def load(self, number: int) -> Arrays | None:
        """Return a batch; None where it is still to be done.

        Raises:
            MondegreenError: Its file is damaged.
        """
        path = self._path(number)
        if not path.exists():
            return None
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(part.file_size for part in archive.infolist())
                if size > 2 * path.stat().st_size + 2**16:  # they are written uncompressed
                    raise ValueError(f"it would unpack to {size} bytes")
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        except Exception as error:  # zipfile and NumPy raise many kinds for a damaged file
            raise MondegreenError(
                f"{path} is damaged ({error}). Delete {self.folder} to begin this cell again."
            ) from error

    def save(self, number: int, batch: Arrays) -> None:
        """Write a batch.

        Raises:
            MondegreenError: The file cannot be written.
        """
        if number == 0:
            write_json(self.folder / "settings.json", self.settings)
        with atomic_write(self._path(number)) as temporary:
            np.savez(temporary, **batch)  # type: ignore[arg-type]  # not for allow_pickle

    def remove(self) -> None:
        """Delete the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"
