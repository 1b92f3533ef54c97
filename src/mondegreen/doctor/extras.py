"""The optional packages: which are there, and what each is for."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any


@dataclass(frozen=True)
class Extra:
    """An extra of the package."""

    name: str
    """As in ``pip install 'mondegreen[name]'``."""
    packages: dict[str, str]
    """Modules and the distributions that bring them."""
    purpose: str
    """What is missing without it."""


EXTRAS = (
    Extra("quality", {"pesq": "pesq", "pystoi": "pystoi"}, "PESQ and STOI in every measurement"),
    Extra("speech", {"espeakng_loader": "espeakng-loader"}, "synthetic voices: demo, reproduce"),
    Extra(
        "onnx",
        {"onnx": "onnx", "onnxruntime": "onnxruntime", "onnxscript": "onnxscript"},
        "export, and attacks run by ONNX Runtime",
    ),
    Extra("codecs", {"av": "av"}, "channels with real codecs: MP3, Opus, AAC, AMR, G.722"),
    Extra("rooms", {"pyroomacoustics": "pyroomacoustics"}, "channels with simulated rooms"),
    Extra("demo", {"gradio": "gradio"}, "serve, the live page"),
    Extra("hf", {"transformers": "transformers"}, "audio classifiers of Hugging Face"),
    Extra("track", {"tensorboard": "tensorboard"}, "trainings watched in TensorBoard"),
    Extra("baselines", {"foolbox": "foolbox"}, "attacks checked against Foolbox"),
)


def installed(distribution: str) -> str | None:
    """Return the version of a distribution; None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def describe_extras() -> list[dict[str, Any]]:
    """Return, for every extra, what it is for, its versions and what is missing of it."""
    found: list[dict[str, Any]] = []
    for extra in EXTRAS:
        there = {module: importlib.util.find_spec(module) for module in extra.packages}
        found.append(
            {
                "extra": extra.name,
                "purpose": extra.purpose,
                "versions": {
                    name: installed(name)
                    for module, name in extra.packages.items()
                    if there[module]
                },
                "missing": [name for module, name in extra.packages.items() if not there[module]],
            }
        )
    return found
