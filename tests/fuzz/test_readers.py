"""Every reader, given damaged files, reads them or says what is wrong with them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from benchmarks.fuzzing.__main__ import stumble
from benchmarks.fuzzing.composed import every_reader
from benchmarks.fuzzing.mutations import damage, damage_json
from benchmarks.fuzzing.readers import Reader, bytes_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
READERS = every_reader(ROOT / "results")
FINDINGS = sorted((Path(__file__).parent / "findings").glob("*"))

EMPTY, SPARSE = b"", b"\0" * 100_000


def by_name(reader: Reader) -> str:
    return reader.name.replace(" ", "-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def prepared(reader: Reader, folder: Path) -> tuple[Path, bytes]:
    """Return a folder for a reader, filled once, and the whole file."""
    place = folder / f"for-{by_name(reader)}"
    whole = folder / (by_name(reader) + ".whole")
    if not whole.exists():
        place.mkdir()
        whole.write_bytes(bytes_of(reader, place))
    return place, whole.read_bytes()


@pytest.mark.parametrize("reader", READERS, ids=by_name)
def test_a_whole_file_is_read(reader: Reader, folder: Path) -> None:
    place, whole = prepared(reader, folder)
    (place / reader.file).write_bytes(whole)
    reader.read(place)


@pytest.mark.parametrize("reader", READERS, ids=by_name)
def test_damaged_files_are_refused_or_read(reader: Reader, folder: Path) -> None:
    place, whole = prepared(reader, folder)

    @settings(max_examples=12, deadline=None, derandomize=True, database=None)
    @given(seed=st.integers(0, 2**32))
    @example(seed=0)
    def check(seed: int) -> None:
        assert stumble(reader, place, reader.damage(whole, random.Random(seed))) is None

    check()
    for content in (EMPTY, SPARSE, whole[: len(whole) // 2], whole + whole):
        assert stumble(reader, place, content) is None


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.name)
def test_what_was_once_stumbled_over(finding: Path, folder: Path) -> None:
    (reader,) = [one for one in READERS if finding.name.rpartition("-")[0] == by_name(one)]
    place, _ = prepared(reader, folder)
    assert stumble(reader, place, finding.read_bytes()) is None


def test_a_reader_that_stumbles_is_noticed(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        json.loads((folder / "x").read_text())

    reader = Reader("bad", "x", lambda _: None, fail)
    assert "JSONDecodeError" in str(stumble(reader, tmp_path, b"{"))
    assert stumble(reader, tmp_path, b"{}") is None


def test_damage_changes_most_files_and_keeps_to_its_seed() -> None:
    whole = bytes(range(200))
    files = [damage(whole, random.Random(seed)) for seed in range(50)]
    assert files == [damage(whole, random.Random(seed)) for seed in range(50)]
    assert sum(one != whole for one in files) > 45
    text = json.dumps({"a": [1, 2, {"b": 3}], "c": "d"}).encode()
    values = [damage_json(text, random.Random(seed)) for seed in range(50)]
    assert len(set(values)) > 40
