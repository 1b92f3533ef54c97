"""Weights as safetensors, checked against the module that takes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.overrides import TorchFunctionMode

from mondegreen.errors import MondegreenError
from mondegreen.files import atomic_write

M = TypeVar("M", bound=nn.Module)


def fingerprint(module: nn.Module, settings: Any, without: Collection[str] = ()) -> str:
    """Return 16 hex digits that change with any weight, buffer or setting of ``module``.

    Args:
        module: Weights and buffers count, buffers that are not saved as well.
        settings: Plain values that count too; others count as they are printed.
        without: Names of buffers that do not count.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    tensors = {**module.state_dict(), **dict(module.named_buffers())}
    for name, tensor in sorted(tensors.items()):
        if name in without:
            continue
        digest.update(name.encode())
        if isinstance(tensor, torch.Tensor):
            digest.update(_bytes(tensor))
        else:  # such as the packed weights of a quantised layer
            digest.update(repr(tensor).encode())
    return digest.hexdigest()[:16]


def _bytes(tensor: torch.Tensor) -> bytes:
    """Return the content of a tensor of any type, also of those that NumPy does not know."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if tensor.is_quantized:
        flat = flat.int_repr()
    return flat.view(torch.uint8).numpy().tobytes()


def save_weights(path: Path, module: nn.Module, *, computed: bool = True) -> None:
    """Write the state of ``module`` to a safetensors file, atomically.

    What the module calculates by itself, such as windows, differs in the last bit from one
    processor or version of PyTorch to another, and so would its fingerprint. These buffers, which
    are no part of the state, go to ``x.computed.safetensors`` beside ``x.safetensors``.

    Args:
        path: The file, ``x.safetensors``.
        module: The module.
        computed: Write these buffers too. Somebody else's module may change its own at will.

    Raises:
        MondegreenError: A file cannot be written.
    """
    state = module.state_dict()
    _write(path, state)
    buffers = {n: b for n, b in module.named_buffers() if n not in state} if computed else {}
    if buffers:
        _write(_computed(path), buffers)
    else:
        _computed(path).unlink(missing_ok=True)


def _write(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    state, places = {}, set[int]()
    for name, tensor in tensors.items():
        kept = tensor.detach().cpu().contiguous()
        # Tied weights have several names; the format wants a copy for each.
        state[name] = kept.clone() if kept.data_ptr() in places else kept
        places.add(kept.data_ptr())
    with atomic_write(path) as temporary:
        try:
            save_file(state, str(temporary))
            temporary.chmod(0o644)  # safetensors writes for the owner alone
        except SafetensorError as error:
            raise OSError(str(error)) from error


def load_weights(path: Path, module: nn.Module) -> None:
    """Fill ``module`` with the weights in a safetensors file.

    Where ``x.computed.safetensors`` lies beside ``x.safetensors``, what the module has calculated
    by itself takes the last bits from there; see :func:`save_weights`.

    Raises:
        MondegreenError: A file is missing, damaged, holds NaN, or does not fit the module.
    """
    if not path.is_file():
        raise MondegreenError(f"{path} does not exist: the weights are missing.")
    state = _read(path)
    expected = module.state_dict()
    _refuse_other_names(path, set(state), set(expected))
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            raise MondegreenError(
                f"{path} does not fit its configuration: size mismatch of {name!r}, "
                f"{list(tensor.shape)} instead of {list(expected[name].shape)}."
            )
        if tensor.dtype != expected[name].dtype:
            raise MondegreenError(
                f"{path} does not fit its configuration: the weights {name!r} are {tensor.dtype}, "
                f"not {expected[name].dtype}."
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise MondegreenError(f"{path}: the weights {name!r} hold NaN or infinity.")
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise MondegreenError(f"{path} does not fit its configuration: {first}") from error
    _load_computed(_computed(path), module)


def _computed(path: Path) -> Path:
    return path.with_name(f"{path.stem}.computed.safetensors")


def _load_computed(path: Path, module: nn.Module) -> None:
    """Put the last bits of calculated buffers right; anything else is refused."""
    if not path.is_file():
        return
    buffers = dict(module.named_buffers())
    for name, tensor in _read(path).items():
        own = buffers.get(name)
        if own is None or (own.shape, own.dtype) != (tensor.shape, tensor.dtype):
            raise MondegreenError(f"{path} does not fit its configuration: {name[:80]!r}.")
        if not torch.allclose(own.cpu(), tensor, rtol=1e-5, atol=1e-6):
            raise MondegreenError(
                f"{path}: {name[:80]!r} holds other numbers than its configuration gives."
            )
        own.copy_(tensor)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(str(path))
    except (SafetensorError, OSError, ValueError, AttributeError) as error:  # a type unknown here
        raise MondegreenError(f"{path} is not a readable safetensors file ({error}).") from error


def _refuse_other_names(path: Path, found: set[str], expected: set[str]) -> None:
    """Refuse weights that are missing or too many before any of them is taken over."""
    for names, problem in ((expected - found, "missing"), (found - expected, "unknown")):
        if names:
            raise MondegreenError(
                f"{path} does not fit its configuration: the weights {min(names)[:80]!r} are "
                f"{problem}."
            )


class _SizesOnly(TorchFunctionMode):
    """Draw no random weights and leave windows on the CPU, while building on the meta device.

    Either would have torch import its compiler first, which takes longer than all of the rest.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name, kwargs = getattr(func, "__name__", ""), dict(kwargs or {})
        if name.endswith("normal_"):
            return args[0] if args else kwargs["tensor"]
        if name == "hann_window":
            kwargs["device"] = "cpu"
        return func(*args, **kwargs)


def build_described(build: Callable[[], M], description: Path, weights: Path) -> M:
    """Build the module that a file describes, if the weights beside it can fill it.

    The module is first built on the meta device, which takes no memory: a damaged or hostile
    description cannot ask for more than its weights file holds.

    Args:
        build: Builds the module.
        description: The file it was described by, for the error message.
        weights: The safetensors file with its weights.

    Raises:
        MondegreenError: The description makes no sense, or the weights are missing or too few.
    """
    try:
        held = weights.stat().st_size
    except OSError as error:
        raise MondegreenError(f"{weights} does not exist: the weights are missing.") from error
    try:
        with torch.device("meta"), _SizesOnly():
            state = build().state_dict().values()
        needed = sum(tensor.numel() * tensor.element_size() for tensor in state)
        if needed > held:
            raise MondegreenError(
                f"{weights} is truncated or does not fit its configuration: {held} bytes, but the "
                f"weights alone need {needed}."
            )
        return build()
    except MondegreenError as error:
        raise MondegreenError(f"{description}: {error}") from error
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MondegreenError(f"{description}: no network can be built so ({reason}).") from error
