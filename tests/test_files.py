from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write, read_json, write_json, write_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(value=JSON)
def test_json_round_trip(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_form_for_nan(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", [value])
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_the_suffix_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.wav"
    with atomic_write(path) as temporary:
        assert (temporary.parent, temporary.suffix) == (path.parent, ".wav")
        assert temporary.name.startswith(".")
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["x.wav"]  # noqa: PTH208


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_rename_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(MondegreenError, match=r"cannot write .*x\.txt: No space left on device\."):
        write_text(tmp_path / "x.txt", "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(MondegreenError, match="No space left on device"),
        atomic_write(tmp_path / "x.txt") as temporary,
    ):
        temporary.symlink_to("/dev/full")
        temporary.write_text("new")
    assert list(tmp_path.iterdir()) == []
    assert Path("/dev/full").exists()


def test_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MondegreenError, match="another output folder"):
        write_text(tmp_path / "file" / "x.txt", "new")


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(MondegreenError, match=r"x\.txt"):
        write_text(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").is_dir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_bad_json(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(MondegreenError, match=rf"x\.json is {message}"):
        read_json(tmp_path / "x.json")


def test_json_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="does not exist"):
        read_json(tmp_path / "x.json")
    with pytest.raises(MondegreenError, match="cannot read"):
        read_json(tmp_path)
