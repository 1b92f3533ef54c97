"""``docs/performance.md``, generated from the result files of the benchmarks of speed.

``python -m mondegreen.report.docs_performance results docs/performance.md`` writes the page;
``--check`` tells whether it is in step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report import docs_evolution, docs_loading
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import DASH, number, size
from mondegreen.report.generated import page_parser, write_or_check
from mondegreen.report.markdown import console_block, escape_text, table

FILE = "generators-speed.json"
TRAINING_FILE = "training-step.json"
EVOLUTION_FILE = "evolution.json"
LOADING_FILE = "loading.json"

HEAD = f"""\
# Performance

<!-- Generated from results/{FILE} by `make results`; edit that, not this page. -->

How long a perturbation takes: the paper's generator, which knows one target, and the one that comes
with this package, which knows all of them. `benchmarks/generators.py` measures both in one run; its
result file is `results/{FILE}`, and this page is made from it.

* A call is complete: the network, the projection onto the budget (the paper's has none), and the
  cut to [-1, 1]. Calls take turns, warm, and the **median** counts.
* **Paper, same backend**: how many times faster than the paper's generator in the same backend.
  **Paper, eager**: than the paper's generator in PyTorch as it is.
* **Floor, products**: the multiply-accumulates at the rate of a large square matrix product in
  PyTorch, in the same run. **Floor, memory**: reading once as many bytes as the weights (once a
  call), the clips and the perturbations take, at the speed of a dot product over a block of that
  size, from a cache where it fits into one. No implementation that does this arithmetic in float32
  can be much faster than the larger of both; **times the floor** says how far away it is. Below
  1, the floor was measured while something else kept the machine busy.
* *compiled* is `torch.compile`, *onnx* is ONNX Runtime with the file that `mondegreen export`
  writes, whose transform is a matrix product in place of the FFT. On a GPU, *compiled* replays CUDA
  graphs, and *bf16* has its own floor.
"""

COLUMNS = (
    "network",
    "backend",
    "parameters",
    "MACs a clip",
    "ms a clip",
    "clips a second",
    "paper, same backend",
    "paper, eager",
    "floor, products (ms)",
    "floor, memory (ms)",
    "times the floor",
)

NAMES = {"paper": "the paper's, one target", "ours": "ours, {targets} targets"}


def render_performance(results: Path) -> str:
    """Return ``docs/performance.md`` as Markdown; the same file gives the same text.

    Args:
        results: The folder with the result file of ``benchmarks/generators.py``.

    Raises:
        MondegreenError: The file is missing or damaged.
    """
    path = results / FILE
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != 1:
        raise MondegreenError(f"{path}: expected the result of benchmarks/generators.py, format 1.")
    try:
        parts = [HEAD, _about(content)]
        for setting in content["settings"]:
            parts += [f"## {_title(setting)}\n", _table(setting, content["networks"])]
            parts += [_skipped(setting)] if setting["skipped"] else []
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/generators.py."
        ) from error
    training = results / TRAINING_FILE
    if training.is_file():
        parts.append(render_training(training))
    loading = results / LOADING_FILE
    if loading.is_file():
        parts.append(docs_loading.render_section(loading))
    evolution = results / EVOLUTION_FILE
    if evolution.is_file():
        parts.append(docs_evolution.render_section(evolution))
    return "\n".join(parts)


def render_training(path: Path) -> str:
    """Return the section on a training step.

    Raises:
        MondegreenError: The file is damaged.
    """
    content = read_json(path)
    try:
        now, earlier = (content["ms_a_step"].get(name) for name in ("now", "earlier"))
        text = (
            f"A step of the `cpu` preset, batch 32, takes {now:.0f} ms on {content['threads']} "
            f"thread(s); machine: {machine_of(content['environment'])}."
        )
        if earlier is not None:
            text += (
                f" In turn with it, the first version's took {earlier:.0f} ms: "
                f"{earlier / now:.2f} times as long. That version had no loss for hearing."
            )
        rows = [[name, f"{median:.0f}"] for name, median in content["parts_ms"].items()]
        spent = table(["part of a step, alone", "ms"], rows, "lr")
    except (KeyError, TypeError, AttributeError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/training_step.py."
        ) from error
    source = f"From `results/{path.name}`, which `benchmarks/training_step.py` writes."
    return f"## Training\n\n{text}\n{source}\n\n{spent}"


def _about(content: Mapping[str, Any]) -> str:
    environment = content["environment"]
    seconds = content["clip_samples"] / content["sample_rate"]
    runtime = environment.get("onnxruntime")
    text = (
        f"Clips of {content['clip_samples']:,} samples ({seconds:.2f} s); machine: "
        f"{machine_of(environment)}; Python {environment.get('python', '?')}, PyTorch "
        f"{environment.get('torch', '?')}, ONNX Runtime {runtime or 'missing'}; measured "
        f"{content['created'][:10]}."
    )
    return f"{escape_text(text)}\n\n{console_block(str(content['command']))}"


def _title(setting: Mapping[str, Any]) -> str:
    threads, batch = setting["threads"], setting["batch"]
    where = "GPU" if threads is None else f"{threads} thread{'s' if threads > 1 else ''}"
    return f"{where}, batch {batch}"


def _table(setting: Mapping[str, Any], networks: Mapping[str, Any]) -> str:
    medians = {(row["network"], row["backend"]): row["milliseconds"] for row in setting["rows"]}
    ordered = sorted(medians, key=lambda key: (list(NAMES).index(key[0]), key[1] != "eager"))
    rows = [_row(name, backend, setting, networks[name], medians) for name, backend in ordered]
    return table(COLUMNS, rows, "ll" + 9 * "r")


def _row(
    name: str,
    backend: str,
    setting: Mapping[str, Any],
    network: Mapping[str, Any],
    medians: Mapping[tuple[str, str], float],
) -> list[str]:
    batch, machine = setting["batch"], setting["machine"]
    clip = medians[name, backend] / batch
    rate = machine["bf16_macs_per_second" if backend == "bf16" else "macs_per_second"]
    products = 1e3 * network["macs"] / rate
    memory = machine["reading_ms"][name] / batch
    ratios = [
        medians["paper", other] / medians[name, backend] if ("paper", other) in medians else None
        for other in (backend, "eager")
    ]
    return [
        NAMES[name].format(targets=network["targets"]),
        backend,
        size(network["parameters"]),
        size(network["macs"]),
        f"**{_milliseconds(clip)}**",
        f"{1e3 / clip:,.0f}",
        *(DASH if ratio is None else f"{number(ratio, 1)} ×" for ratio in ratios),
        _milliseconds(products),
        _milliseconds(memory),
        f"{number(clip / max(products, memory), 1)} ×",
    ]


def _milliseconds(value: float) -> str:
    """Return a time in three digits or so."""
    return number(value, 1 if value >= 10 else 2 if value >= 0.1 else 4)


def _skipped(setting: Mapping[str, Any]) -> str:
    lines = [
        f"* Not measured: {NAMES[entry['network']].partition(',')[0]}, {entry['backend']}: "
        f"{escape_text(entry['reason'])}."
        for entry in setting["skipped"]
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` print how it differs; return the exit code."""
    options = page_parser("docs_performance", __doc__).parse_args(arguments)
    return write_or_check(
        lambda: {options.page: render_performance(options.results)}, options.check
    )


if __name__ == "__main__":
    sys.exit(main())
