"""Fetching the Speech Commands archives."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import lzma
import os
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mondegreen.data.speech_commands import is_speech_commands
from mondegreen.errors import MondegreenError
from mondegreen.progress import progress_bar, track

Version = Literal["0.01", "0.02"]

_SHA256 = {
    "0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}
_URL = "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v{}.tar.gz"
_TIMEOUT_SECONDS = 30.0
_BLOCK = 2**18


@dataclass(frozen=True)
class _Archive:
    url: str
    sha256: str
    path: Path  # complete
    part: Path  # incomplete

    def by_hand(self) -> str:
        return (
            f"Or fetch {self.url} by hand, save it as {self.path} and run the same command again."
        )


def download_speech_commands(
    version: Version,
    destination: Path,
    *,
    url: str | None = None,
    sha256: str | None = None,
    keep_archive: bool = False,
) -> Path:
    """Download, check and extract Speech Commands (Warden 2018, CC BY 4.0; 1.5 or 2.4 GB).

    An interrupted download goes on where it stopped if the server allows. An archive that already
    lies beside ``destination`` under its official name is used.

    Args:
        version: Of the data set.
        destination: The folder to make; its words end up directly inside.
        url: Another place to fetch the archive from.
        sha256: Its checksum; the official one by default.
        keep_archive: Leave the archive beside the folder.

    Returns:
        ``destination``. Nothing is done where the ten words are already there.

    Raises:
        MondegreenError: The server cannot be reached, the checksum differs, the archive is damaged
            or hostile, or the disk is full.
    """
    if version not in _SHA256:
        raise MondegreenError(f"unknown version {version!r}; choose {' or '.join(_SHA256)}.")
    destination = destination.absolute()
    if is_speech_commands(destination):
        return destination
    path = destination.parent / f"speech_commands_v{version}.tar.gz"
    archive = _Archive(
        url=url or _URL.format(version),
        sha256=(sha256 or _SHA256[version]).lower(),
        path=path,
        part=path.with_name(path.name + ".part"),
    )
    try:
        _refuse_occupied(destination)
        destination.parent.mkdir(parents=True, exist_ok=True)
        there = archive.path.is_file()
        if not there:
            _fetch(archive)
        _check(archive, there=there)
        _extract(archive, destination)
        if not keep_archive:
            archive.path.unlink()
    except OSError as error:
        raise MondegreenError(
            f"cannot write to {destination.parent}: {error.strerror or error}. Free some space or "
            "choose another folder."
        ) from error
    return destination


def _refuse_occupied(destination: Path) -> None:
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise MondegreenError(
            f"{destination} already exists and does not hold Speech Commands. Choose a new folder."
        )


def _fetch(archive: _Archive) -> None:
    """Fill what is missing of ``archive.part`` and rename it to ``archive.path``."""
    if urllib.parse.urlsplit(archive.url).scheme not in ("http", "https"):
        raise MondegreenError(f"the address {archive.url} is neither http nor https.")
    have = archive.part.stat().st_size if archive.part.is_file() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(archive.url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise MondegreenError(
                f"{archive.url} answered {error.code} ({error.reason}). Check the address. "
                f"{archive.by_hand()}"
            ) from error
        # Nothing is left to send: the part is whole, which the checksum will tell.
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise MondegreenError(
            f"cannot reach {archive.url}: {getattr(error, 'reason', error)}. Check the network "
            f"connection. {archive.by_hand()}"
        ) from error
    else:
        with response:
            _receive(response, archive, have)
    archive.part.replace(archive.path)


def _receive(response: http.client.HTTPResponse, archive: _Archive, have: int) -> None:
    """Append what the server sends, or start again where it cannot send the rest only."""
    resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT and (
        response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    )
    start = have if resumed else 0
    length = response.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else None
    done = start
    with archive.part.open("ab" if resumed else "wb") as file, progress_bar() as bar:
        task = bar.add_task(f"downloading {archive.path.name} (bytes)", total=total)
        while True:
            bar.update(task, completed=done)
            try:
                block = response.read(_BLOCK)
            except (OSError, http.client.HTTPException) as error:
                raise _interrupted(archive, done, total) from error
            if not block:
                break
            file.write(block)
            done += len(block)
    if total is not None and done < total:
        raise _interrupted(archive, done, total)


def _interrupted(archive: _Archive, done: int, total: int | None) -> MondegreenError:
    return MondegreenError(
        f"the download of {archive.url} broke off after {done} of {total or 'unknown'} bytes. Run "
        f"the same command again to go on. {archive.by_hand()}"
    )


def _check(archive: _Archive, *, there: bool) -> None:
    digest = hashlib.sha256()
    with archive.path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() == archive.sha256:
        return
    if there:
        raise MondegreenError(
            f"{archive.path}, which was there already, has the SHA-256 {digest.hexdigest()}, not "
            f"{archive.sha256}. If it is still being copied, wait and run the same command again; "
            "otherwise move it away."
        )
    archive.path.unlink()
    raise MondegreenError(
        f"the archive from {archive.url} has the SHA-256 {digest.hexdigest()}, not "
        f"{archive.sha256}; it is damaged or another file, and has been removed. Run the same "
        f"command again. {archive.by_hand()}"
    )


def _extract(archive: _Archive, destination: Path) -> None:
    """Unpack into a temporary folder and rename it: the folder is complete or not there."""
    if not hasattr(tarfile, "data_filter"):
        raise MondegreenError(
            "this Python's tarfile cannot extract safely; use Python 3.11.4 or later, or unpack "
            f"{archive.path} into {destination} by hand."
        )
    temporary = destination.with_name(f".{destination.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.mkdir()
        with tarfile.open(archive.path, "r:*") as tar:
            for member in track(tar, f"extracting {archive.path.name}"):
                tar.extract(member, temporary, filter="data")
        if not is_speech_commands(temporary):
            raise MondegreenError(f"{archive.path} does not hold the ten words. Delete it.")
        os.rename(temporary, destination)  # noqa: PTH104 (onto an empty folder too)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise MondegreenError(
            f"{archive.path} cannot be extracted: {error}. Delete it and download it again."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
