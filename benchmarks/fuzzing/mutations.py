"""Small damages to files: of bytes for any format, of values for JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

_INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 10**30, -(10**400), 1e308, 5e-324),
    *("", "x" * 3000, "\u0000", "\ud800", "../../x", "/dev/zero", "nan", "yes"),
    *([], {}, [[]], [None], {"kind": "snr"}, [1, 2], ["yes", "no"], float("nan"), float("inf")),
)


def damage(content: bytes, rng: random.Random) -> bytes:
    """Return a file with a few damages."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        rng.choice(_BYTES)(changed, rng)
    return bytes(changed)


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random) -> None:
    """Write an integer that is likely to be a wrong size, mostly into the header."""
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    value = rng.choice(_INTEGERS) & ((1 << 8 * size) - 1)
    end = len(data) if rng.random() < 0.3 else min(len(data), 96)
    at = rng.randrange(end + 1)
    data[at : at + size] = value.to_bytes(size, order)  # type: ignore[arg-type]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.randrange(64)]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at, to = rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)
    data[to:to] = data[at : at + rng.randrange(256)]


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randrange(32))


_BYTES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip, _overwrite, _overwrite),
    *(_cut, _remove, _repeat, _insert),
)


def damage_json(content: bytes, rng: random.Random) -> bytes:
    """Return a JSON file with a few values changed, removed or moved; sometimes with its bytes."""
    if rng.random() < 0.2:
        return damage(content, rng)
    value = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _change(value, rng)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _change(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {key: item for key, item in value.items() if key != name}
        if rng.random() < 0.05:
            return value | {name + "_": value[name]}
        return value | {name: _change(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        if rng.random() < 0.2:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _change(value[at], rng), *value[at + 1 :]]
    return rng.choice(_VALUES)
