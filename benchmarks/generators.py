"""Time of one perturbation: the paper's generator and ours, side by side in one run.

Each network runs in PyTorch as it is, compiled by PyTorch, and in ONNX Runtime; on a GPU also in
bfloat16. Calls take turns, so that a busy machine slows all of them, and medians are compared. A
call is a whole ``generator(x, target)``: network, projection onto the budget, cut to [-1, 1].

    .venv/bin/python benchmarks/generators.py --out results/generators-speed.json
    .venv/bin/python -m mondegreen.report.docs_performance results docs/performance.md
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mondegreen.allocator import keep_memory
from mondegreen.errors import MondegreenError
from mondegreen.files import write_json
from mondegreen.generators.export import export_onnx
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.generators.onnx_runtime import OnnxGenerator
from mondegreen.generators.unet import UNetConfig
from mondegreen.metrics.machine import product_rate, reading_seconds, wait_for
from mondegreen.metrics.macs import count_macs
from mondegreen.progress import track
from mondegreen.runs import command_line, environment
from mondegreen.zoo import resolve

Call = Callable[[], object]
NOTE = Console(stderr=True)


def main() -> None:
    """Measure, print what is going on, write the JSON file."""
    options = parse()
    keep_memory()
    ours = load_generator(resolve(options.generator))
    torch.manual_seed(0)
    config = replace(ours.config, network=UNetConfig(), targets=ours.config.targets[:1])
    paper = Generator(replace(config, budget_db=None)).requires_grad_(False).eval()
    networks = {"paper": paper, "ours": ours}
    settings: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = export_both(networks, Path(folder))
        for threads in dict.fromkeys((1, torch.get_num_threads())):
            for batch in options.batch:
                settings.append(measure_cpu(networks, files, threads, batch, options))
    if torch.cuda.is_available():
        settings += [measure_cuda(networks, batch, options) for batch in options.cuda_batch]
    samples = ours.config.clip_samples
    about = {name: describe(network, samples) for name, network in networks.items()}
    result = {
        "format": 1,
        "clip_samples": samples,
        "sample_rate": ours.config.sample_rate,
        "networks": about,
        "settings": settings,
        "command": command_line(),
        "environment": environment() | {"onnxruntime": onnxruntime_version()},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_json(options.out, result)
    NOTE.print(f"written: {options.out}")


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("results/generators-speed.json"))
    parser.add_argument("--generator", type=Path, default=Path("zoo:speech-commands"))
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--cuda-batch", type=int, nargs="+", default=[1, 64, 512, 2048])
    parser.add_argument("--rounds", type=int, default=40, help="at batch 1; fewer at larger ones")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    return parser.parse_args()


def describe(generator: Generator, samples: int) -> dict[str, Any]:
    """Return the sizes of a network."""
    x = torch.zeros(1, 1, samples)
    label = generator.config.labels.index(generator.config.targets[0])
    return {
        "kind": generator.name,
        "targets": len(generator.config.targets),
        "parameters": generator.parameter_count(),
        "bytes": weight_bytes(generator),
        "macs": count_macs(generator, x, torch.tensor([label])),
    }


def weight_bytes(generator: Generator) -> int:
    """Return how much memory the weights take."""
    return sum(p.numel() * p.element_size() for p in generator.parameters())


def onnxruntime_version() -> str | None:
    """Return the version of ONNX Runtime, None where it is missing."""
    try:
        import onnxruntime
    except ImportError:
        return None
    return str(onnxruntime.__version__)


def export_both(networks: dict[str, Generator], folder: Path) -> dict[str, Path | str]:
    """Return an ONNX file for each network, or why there is none."""
    files: dict[str, Path | str] = {}
    for name, network in networks.items():
        NOTE.print(f"exporting the {name} network to ONNX")
        try:
            files[name] = export_onnx(network, folder / f"{name}.onnx").path
        except MondegreenError as error:
            files[name] = str(error)
    return files


def measure_cpu(
    networks: dict[str, Generator],
    files: dict[str, Path | str],
    threads: int,
    batch: int,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Time both networks on the CPU in every way that works here."""
    torch.set_num_threads(threads)
    torch.compiler.reset()  # compiled code is for one number of threads
    inputs = clips(networks, batch, torch.device("cpu"))
    calls: dict[tuple[str, str], Call] = {}
    skipped = []
    for name, network in networks.items():
        x, target = inputs[name]
        calls[name, "eager"] = partial(network, x, target)
        compiled = no_compiler(options) or try_compile(network, x, target)
        file = files[name]
        ready = OnnxGenerator.load(file, threads=threads) if isinstance(file, Path) else file
        for backend, found in (("compiled", compiled), ("onnx", ready)):
            if isinstance(found, str):
                skipped.append({"network": name, "backend": backend, "reason": found})
            else:
                calls[name, backend] = partial(found, x, target)
    where = {"device": "cpu", "threads": threads, "batch": batch}
    return where | time_all(calls, networks, torch.device("cpu"), batch, options, skipped)


def measure_cuda(
    networks: dict[str, Generator], batch: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Time both networks on the GPU: as they are, in bfloat16, and compiled into a CUDA graph."""
    device = torch.device("cuda")
    inputs = clips(networks, batch, device)
    calls: dict[tuple[str, str], Call] = {}
    skipped = []
    for name, network in networks.items():
        x, target = inputs[name]
        network.to(device)

        calls[name, "eager"] = partial(network, x, target)
        calls[name, "bf16"] = partial(in_bfloat16, network, x, target)
        found = try_compile(network, x, target, mode="reduce-overhead")
        if isinstance(found, str):
            skipped.append({"network": name, "backend": "compiled", "reason": found})
        else:
            calls[name, "compiled"] = partial(found, x, target)
    where = {"device": "cuda", "threads": None, "batch": batch}
    result = where | time_all(calls, networks, device, batch, options, skipped)
    for network in networks.values():
        network.cpu()
    return result


def in_bfloat16(network: Generator, x: torch.Tensor, target: torch.Tensor) -> object:
    """Run a network with its matrix products and convolutions in bfloat16."""
    with torch.autocast("cuda", torch.bfloat16):
        return network(x, target)


def clips(
    networks: dict[str, Generator], batch: int, device: torch.device
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Return the same clips for both networks, each with targets that it knows."""
    random = torch.Generator().manual_seed(0)
    found = {}
    for name, network in networks.items():
        config = network.config
        x = 0.1 * torch.randn(batch, 1, config.clip_samples, generator=random.manual_seed(0))
        known = torch.tensor([config.labels.index(target) for target in config.targets])
        found[name] = x.to(device), known[torch.arange(batch) % len(known)].to(device)
    return found


def no_compiler(options: argparse.Namespace) -> str | None:
    """Return why nothing can be compiled for the CPU here, or None."""
    if options.no_compile:
        return "left out by --no-compile"
    if not any(map(shutil.which, ("g++", "clang++"))):
        return "torch.compile needs a C++ compiler, and there is none"
    return None


def try_compile(
    network: Generator, x: torch.Tensor, target: torch.Tensor, mode: str = "default"
) -> Callable[..., object] | str:
    """Return the compiled network, run once, or why it cannot be compiled."""
    NOTE.print(f"compiling the {network.name} for batch {len(x)}")
    try:
        compiled = torch.compile(network, mode=mode, dynamic=False)
        with torch.inference_mode():
            compiled(x, target)
    except Exception as error:  # the compiler's errors are many, and none matters here
        return f"torch.compile failed: {type(error).__name__}"
    found: Callable[..., object] = compiled
    return found


def time_all(
    calls: dict[tuple[str, str], Call],
    networks: dict[str, Generator],
    device: torch.device,
    batch: int,
    options: argparse.Namespace,
    skipped: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the median of each call in ms, and what the machine could do at best."""
    rounds = max(5, options.rounds // batch)
    times: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    with torch.inference_mode():
        for key in turns(calls, rounds, f"{device.type}, batch {batch}"):
            if batch == 1:
                calls[key]()  # brings back into the caches what the others drove out
            wait_for(device)
            start = time.perf_counter()
            calls[key]()
            wait_for(device)
            times[key].append(1e3 * (time.perf_counter() - start))
    measured = [
        {
            "network": name,
            "backend": backend,
            "milliseconds": statistics.median(values),
            "fastest": min(values),
            "calls": len(values),
        }
        for (name, backend), values in times.items()
    ]
    floor = machine(networks, device, batch)
    return {"rows": measured, "skipped": skipped, "machine": floor}


def turns(calls: dict[tuple[str, str], Call], rounds: int, title: str) -> Iterator[tuple[str, str]]:
    """Call each twice to warm up, then yield every call's key in turn."""
    for call in calls.values():
        call()
        call()
    for _ in track(range(rounds), title):
        yield from calls


def machine(networks: dict[str, Generator], device: torch.device, batch: int) -> dict[str, Any]:
    """Return what bounds every implementation here: products a second, and the time to read.

    The bytes are the weights once a call, and each clip and its perturbation once.
    """
    cuda = device.type == "cuda"
    size = 8_192 if cuda else 1_024
    found: dict[str, Any] = {"macs_per_second": product_rate(device, size=size)}
    if cuda:
        found["bf16_macs_per_second"] = product_rate(device, torch.bfloat16, size=size)
    found["reading_ms"] = {}
    for name, network in networks.items():
        traffic = weight_bytes(network) + batch * 2 * 4 * network.config.clip_samples
        found["reading_ms"][name] = 1e3 * reading_seconds(traffic, device)
    return found


if __name__ == "__main__":
    main()
