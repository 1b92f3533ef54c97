"""Networks whose training steps are compiled by ``torch.compile``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mondegreen.errors import MondegreenError

_COMPILERS = ("c++", "g++", "clang++", "cc", "gcc", "clang")


def compile_in_place(*networks: nn.Module | None) -> None:
    """Have the training steps of networks compiled; their weights keep names and places.

    Where no gradients are wanted, as in a validation, they compute as before: every other size of
    a batch would be compiled anew, for little.

    Args:
        networks: The networks; None is passed over.

    Raises:
        MondegreenError: There is no C or C++ compiler, which compiling needs on any device.
    """
    named = [os.environ.get("CXX", ""), os.environ.get("CC", "")]
    if not any(shutil.which(name) for name in (*named, *_COMPILERS) if name):
        raise MondegreenError(
            "--compile needs a C++ compiler and finds none. Install one, such as g++, name one by "
            "the variable CXX, or leave --compile and --fast out."
        )
    for network in networks:
        if network is not None:
            network.forward = _while_learning(network.forward)


def _while_learning(plain: Callable[..., Any]) -> Callable[..., Any]:
    # Dropout then draws the masks that it draws without compiling.
    compiled = torch.compile(plain, options={"fallback_random": True})

    def forward(*arguments: Any, **named: Any) -> Any:
        return (compiled if torch.is_grad_enabled() else plain)(*arguments, **named)

    return forward
