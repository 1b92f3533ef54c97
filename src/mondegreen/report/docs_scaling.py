"""The tables of measured scaling and of what a cluster would cost, for ``docs/scaling.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import number, size
from mondegreen.report.markdown import table
from mondegreen.report.scaling_model import Bill, Campaign, bills, step_cost

NAMES = {
    "generator": "a training step of the generator",
    "classifier": "a training step of the classifier",
    "evaluation": "a pair of an evaluation",
}
MORE = (4, 8)
_DAYS_FROM = 48.0


def _rendered(path: Path, render: Callable[[Mapping[str, Any]], str]) -> str:
    content = read_json(path)
    try:
        return render(content)
    except (KeyError, TypeError, ValueError, StopIteration, ZeroDivisionError) as error:
        raise MondegreenError(
            f"{path} is damaged ({type(error).__name__}: {error}); run benchmarks/scaling."
        ) from error


def render_measured(path: Path) -> str:
    """Return the times on one and two processes, and what the model says of two and more.

    Args:
        path: What ``benchmarks/scaling`` wrote.

    Raises:
        MondegreenError: The file is damaged.
    """
    return _rendered(path, _measured)


def _measured(content: Mapping[str, Any]) -> str:
    rows = []
    for name, title in NAMES.items():
        one, two = (float(content["ms"][name][count]) for count in ("1", "2"))
        worked = content["processor_ms"][name]
        row = [title, number(one, 1), number(two, 1), f"{one / two:.2f}"]
        row += [number(float(worked[count]), 1) for count in ("1", "2")]
        if name == "evaluation":
            rows.append([*row, *["–"] * (1 + len(MORE))])
            continue
        step = step_cost(content, name)
        rows.append([*row, *(number(step.ms(count), 1) for count in (2, *MORE))])
    head = ["work", "1 process (ms)", "2 processes (ms)", "times faster"]
    head += ["processor, 1 (ms)", "processor, each of 2 (ms)"]
    head += [f"model, {count} (ms)" for count in (2, *MORE)]
    return table(head, rows, "lrrrrrrrr") + (
        f"\nMedians of {content['rounds']} rounds, {content['threads']} thread a process. Machine: "
        f"{machine_of(content['environment'])}; processes that wanted a core before: "
        f"{content['load_before']:.1f}."
    )


def render_model(path: Path) -> str:
    """Return what a step computes, reads and sends.

    Raises:
        MondegreenError: The file is damaged.
    """
    return _rendered(path, _model)


def _model(content: Mapping[str, Any]) -> str:
    rows = []
    for network in content["networks"]:
        name, weights = str(network["name"]), int(network["parameters"])
        batch = int(network["batch_size"])
        small = network["preset"] == "cpu"
        sent = content["sent"][name]
        rows.append(
            [
                f"{name}, `{network['preset']}`",
                size(weights),
                str(batch),
                size(round(float(network["macs_a_clip"]))),
                size(round(float(network["macs_a_clip"])) * batch),
                size(batch * int(content["clip_bytes"])),
                size(4 * weights),
                f"{sent['messages']:.0f}" if small else "–",
                size(round(sent["bytes"])) if small else "–",
                number(float(content["drawing_ms"][name]), 1) if small else "–",
            ]
        )
    head = ["training", "parameters", "clips a step", "MACs a clip", "MACs a step", "bytes read"]
    head += ["bytes of gradients", "messages", "bytes sent", "drawing (ms)"]
    network = content["network"]
    return table(head, rows, "l" + "r" * 9) + (
        f"\nBetween two processes of one machine a message takes {network['latency_ms']:.2f} ms at "
        f"least, and {network['bytes_a_second'] / 1e6:.0f} MB pass in a second."
    )


def render_cluster(path: Path) -> str:
    """Return what a campaign costs.

    Raises:
        MondegreenError: The file is damaged.
    """
    return _rendered(path, _cluster)


def _cluster(content: Mapping[str, Any]) -> str:
    campaign = Campaign()
    rows = [
        [
            name,
            f"{bill.jobs:,}",
            _hours(bill.core_hours_a_job),
            f"{bill.core_hours:,.0f}",
            _hours(_longest(bill, campaign.cores)),
            f"{bill.core_hours * campaign.dollars_a_core_hour:,.0f}",
            "measured" if bill.timed else "from MACs",
        ]
        for name, bill in bills(content, campaign).items()
    ]
    head = ["work", "jobs", "a job, one core", "core hours", f"on {campaign.cores:,} cores"]
    head += ["dollars", "time of a step"]
    return table(head, rows, "lrrrrrl") + (
        f"\n{campaign.classifiers:,} classifiers, {campaign.targets} targets, "
        f"{campaign.training_clips:,} training clips each, every epoch of the preset, "
        f"{campaign.pairs:,} pairs an evaluation; {campaign.dollars_a_core_hour:g} dollars a core "
        "hour are assumed."
    )


def _longest(bill: Bill, cores: int) -> float:
    """Return the hours until all jobs are done, a core each: they come in whole rounds."""
    return -(-bill.jobs // cores) * bill.core_hours_a_job


def _hours(hours: float) -> str:
    """Return a time in the unit that suits it."""
    if hours < 1.0:
        return f"{60 * hours:.1f} min"
    return f"{hours:.1f} h" if hours < _DAYS_FROM else f"{hours / 24:,.1f} days"
