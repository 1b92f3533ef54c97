"""What a training step and a whole campaign cost, from what was measured on one and two processes.

A step on P processes takes

    drawing + (one - drawing) / P + messages * latency + 2 * (P - 1) / P * bytes / bandwidth

where *one* is the processor time of one process, *drawing* what every process does for the whole
batch, and the last term is that of a ring (Patarasuk and Yuan 2009,
doi:10.1016/j.jpdc.2008.09.002), in which every process sends and receives each byte about twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StepCost:
    """What one training step takes."""

    one_ms: float
    """Processor time on one process."""
    drawing_ms: float
    """Of it, what every process does, however many there are."""
    messages: float
    """Sums over the processes."""
    sent_bytes: float
    """In these messages."""
    latency_ms: float
    """What a message takes at least."""
    bytes_a_second: float
    """What passes between two processes."""

    def ms(self, processes: int) -> float:
        """Return the time of a step on so many processes, each on a core of its own.

        Example:
            >>> step = StepCost(100.0, 10.0, 3, 1e6, 0.5, 1e8)
            >>> step.ms(1), step.ms(2)
            (100.0, 66.5)
        """
        work = self.drawing_ms + (self.one_ms - self.drawing_ms) / processes
        if processes == 1:
            return work
        ring = 2.0 * (processes - 1) / processes
        return (
            work
            + self.messages * self.latency_ms
            + 1e3 * ring * self.sent_bytes / (self.bytes_a_second)
        )


@dataclass(frozen=True)
class Campaign:
    """Many classifiers, each attacked towards many targets."""

    classifiers: int = 1000
    targets: int = 100
    training_clips: int = 30_000
    """Of each classifier."""
    pairs: int = 100_000
    """Of a clip and a target in each evaluation; so many are drawn where there are more."""
    cores: int = 1000
    """Of the cluster."""
    dollars_a_core_hour: float = 0.04
    """About what rented processors cost."""


@dataclass(frozen=True)
class Bill:
    """What one kind of work in a campaign costs."""

    jobs: int
    core_hours_a_job: float
    timed: bool
    """Whether the time of a step was measured; otherwise it follows from its arithmetic."""

    @property
    def core_hours(self) -> float:
        """Of all jobs."""
        return self.jobs * self.core_hours_a_job


def step_cost(content: Mapping[str, Any], name: str) -> StepCost:
    """Return the cost of a step of a training, from what ``benchmarks/scaling`` wrote."""
    sent, network = content["sent"][name], content["network"]
    return StepCost(
        one_ms=float(content["processor_ms"][name]["1"]),
        drawing_ms=float(content["drawing_ms"][name]),
        messages=float(sent["messages"]),
        sent_bytes=float(sent["bytes"]),
        latency_ms=float(network["latency_ms"]),
        bytes_a_second=float(network["bytes_a_second"]),
    )


def training_hours(
    content: Mapping[str, Any], network: Mapping[str, Any], campaign: Campaign
) -> tuple[float, bool]:
    """Return the core hours of one training to its last epoch, and whether its step was timed.

    The preset ``cpu`` was timed. Of others, a step takes as much longer as it has more
    multiply-accumulates than that one's of the same kind.
    """
    timed = next(
        one
        for one in content["networks"]
        if one["name"] == network["name"] and one["preset"] == "cpu"
    )
    more = _macs(network) / _macs(timed)
    steps = -(-campaign.training_clips // int(network["labelled"])) * int(network["epochs"])
    ms = float(content["processor_ms"][network["name"]]["1"]) * more
    return steps * ms / 3.6e6, network is timed


def _macs(network: Mapping[str, Any]) -> float:
    return float(network["macs_a_clip"]) * float(network["batch_size"])


def bills(content: Mapping[str, Any], campaign: Campaign) -> dict[str, Bill]:
    """Return what each kind of work in a campaign costs, by its name.

    Args:
        content: What ``benchmarks/scaling`` wrote.
        campaign: How much of it there is.
    """
    found: dict[str, Bill] = {}
    for network in content["networks"]:
        hours, timed = training_hours(content, network, campaign)
        small, one = network["preset"] == "cpu", network["name"] == "classifier"
        what = "small" if small else "the paper's"
        if one:
            found[f"classifiers, {what}"] = Bill(campaign.classifiers, hours, timed)
        elif small:
            name = f"generators, {what}, all targets in one"
            found[name] = Bill(campaign.classifiers, hours, timed)
        else:
            jobs = campaign.classifiers * campaign.targets
            found[f"generators, {what}, one a target"] = Bill(jobs, hours, timed)
    hours = campaign.pairs * float(content["processor_ms"]["evaluation"]["1"]) / 3.6e6
    found["evaluations of the small ones"] = Bill(campaign.classifiers, hours, True)
    return found
