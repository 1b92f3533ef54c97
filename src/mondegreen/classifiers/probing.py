"""Find out how a model wants its clips, how it answers, and whether gradients reach the waveform.

Nothing is believed that was not tried: the model is asked about a few sounds in every layout that
was not ruled out, alone and together, twice, and about silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import torch
from torch import Tensor, nn

from mondegreen.classifiers.adopted import Adopted, Finding, Sent
from mondegreen.classifiers.answers import NAMES, fields_of, kind_of, picked, rows
from mondegreen.classifiers.behaviour import behaviour, changed, close
from mondegreen.classifiers.contract import Contract, Layout, ModelOptions, Precision
from mondegreen.errors import MondegreenError

CLIPS = 3
"""How many sounds a model is asked about at once."""


@dataclass(frozen=True)
class Subject:
    """A model that is about to be probed."""

    module: Callable[..., Any]
    labels: int
    sample_rate: int
    clip_samples: int
    options: ModelOptions
    batch: int | None = None
    """The number of clips it takes at once, where that is known."""
    identity: str | None = None
    black_box: bool = False
    """Whether it is known that no gradient passes."""
    sent: Sent = field(default_factory=Sent)
    """Counts the clips that it is asked about."""
    buffers: dict[str, Tensor] = field(default_factory=dict)
    """Those of the model before it was asked anything."""

    def adopt(self, contract: Contract) -> Adopted:
        """Put the model behind a contract."""
        return Adopted(
            self.module,
            contract,
            labels=self.labels,
            sample_rate=self.sample_rate,
            identity=self.identity,
            differentiable=not self.black_box,
            sent=self.sent,
        )


def probe(subject: Subject, x: Tensor | None = None) -> Adopted:
    """Return the model behind the contract that fits it, with what was found out.

    Args:
        subject: The model, in evaluation mode.
        x: Sounds to ask about, ``(3 or more, 1, clip_samples)``; by default noise and tones.

    Raises:
        MondegreenError: No layout works, several do and differ, or the numbers can be read in two
            ways; the message says what to pass.
    """
    if x is not None and (x.dim() != 3 or x.shape[1] != 1):
        raise MondegreenError(f"sounds have the shape (clips, 1, time), not {tuple(x.shape)}.")
    sounds = probe_sounds(subject.clip_samples, subject.sample_rate) if x is None else x[:CLIPS]
    contract = found_layout(subject, sounds)
    with torch.no_grad():
        numbers = subject.adopt(contract).numbers(sounds)
    given = subject.options.output
    if given is None:
        contract = replace(contract, output=kind_of(numbers))
    findings = [
        _fact("input", f"({contract.layout.replace('-', ', ')})", subject.options.layout),
        _fact("output", contract.output, given),
    ]
    if contract.field is not None:
        findings.append(_fact("field of the answer", contract.field, subject.options.field))
    adopted = subject.adopt(contract)
    adopted.findings = (*findings, *behaviour(adopted, sounds))
    adopted.changing = tuple(changed(adopted, subject.buffers))
    if adopted.changing:
        shown = ", ".join(name.removeprefix("model.") for name in adopted.changing)
        adopted.findings += (Finding("changes while it answers", shown, "detected"),)
    return adopted


def _fact(what: str, found: str, given: str | None) -> Finding:
    return Finding(what, found, "detected" if given is None else "given")


def probe_sounds(samples: int, sample_rate: int) -> Tensor:
    """Return noise, a rising tone and a chord, at different levels.

    Shape:
        - Output: ``(3, 1, samples)``
    """
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(samples) / sample_rate
    noise = 0.1 * torch.randn(samples, generator=generator)
    sweep = 0.5 * torch.sin(2.0 * torch.pi * (200.0 + 600.0 * time) * time)
    chord = 0.05 * sum(
        (torch.sin(2.0 * torch.pi * hertz * time) for hertz in (310.0, 930.0, 1550.0)),
        torch.zeros(samples),
    )
    return torch.stack([noise, sweep, chord])[:, None]


@dataclass(frozen=True)
class _Tried:
    contract: Contract
    numbers: Tensor
    alike: bool
    """Whether clips together are answered as each alone."""


_BETTER: tuple[Callable[[_Tried, Subject], bool], ...] = (
    lambda one, _: bool(one.numbers.isfinite().all()),
    lambda one, _: bool((one.numbers != one.numbers[:1]).any()),
    lambda one, subject: one.contract.batch == subject.batch,
    lambda one, _: one.alike,
)
"""What speaks for a layout, the strongest first."""


def found_layout(subject: Subject, sounds: Tensor) -> Contract:
    """Return the contract, up to what the numbers mean, of the one layout that works.

    Raises:
        MondegreenError: None works, or several do and answer otherwise.
    """
    working, failures = working_layouts(subject, sounds)
    if not working:
        told = "\n".join(f"  {layout}: {reason}" for layout, reason in failures.items())
        raise MondegreenError(
            f"the model takes clips of {subject.clip_samples} samples in none of the layouts:\n"
            f"{told}\nGive --clip-samples, --labels, --layout or --field as it needs them."
        )
    first = working[0]
    other = next((one for one in working if not close(one.numbers, first.numbers)), None)
    if other is not None:
        raise MondegreenError(
            f"the model takes its input as {first.contract.layout} and as {other.contract.layout} "
            "and answers otherwise; say which is meant: --layout."
        )
    return first.contract


def working_layouts(subject: Subject, sounds: Tensor) -> tuple[list[_Tried], dict[str, str]]:
    """Try the layouts; return those that work, the likeliest first, and why the others do not.

    Of several, those are kept that give finite answers, which differ between different sounds,
    take clips together and answer each by itself: where the axes of time and batch are confused,
    clips change each other's answers.
    """
    options = subject.options
    found: list[_Tried] = []
    failures: dict[str, str] = {}
    layouts: tuple[Layout, ...] = get_args(Layout) if options.layout is None else (options.layout,)
    for layout in layouts:
        try:
            found.append(_try(subject, layout, sounds))
        except MondegreenError as error:
            failures[layout] = str(error)
    for better in _BETTER:
        found = [one for one in found if better(one, subject)] or found
    return found, failures


def _try(subject: Subject, layout: Layout, sounds: Tensor) -> _Tried:
    options = subject.options
    contract = Contract(
        layout=layout,
        channels=options.channels,
        scaling=options.scaling or "unit",
        output=options.output or "logits",
        model_rate=options.model_rate,
        batch=subject.batch,
        precision=_precision(subject.module),
    )
    if subject.batch is None:
        try:
            return _together(subject, contract, sounds)
        except MondegreenError as error:  # perhaps it takes one clip at a time
            try:
                return _as_many(subject, replace(contract, batch=1), sounds)
            except MondegreenError:
                raise error from None
    return _as_many(subject, contract, sounds)


def _together(subject: Subject, contract: Contract, sounds: Tensor) -> _Tried:
    """Ask about all sounds at once and one by one."""
    contract = replace(contract, field=_field(subject, contract, sounds))
    alone = replace(contract, batch=1)
    with torch.no_grad():
        together = _calling(subject.adopt(contract).numbers, sounds)
        apart = _calling(subject.adopt(alone).numbers, sounds)
    if close(together, apart):
        return _Tried(contract, together, alike=True)
    return _Tried(alone, apart, alike=False)


def _as_many(subject: Subject, contract: Contract, sounds: Tensor) -> _Tried:
    """Ask about as many sounds at once as the contract says."""
    assert contract.batch is not None
    x = sounds.repeat(contract.batch, 1, 1)[: contract.batch]
    contract = replace(contract, field=_field(subject, contract, x))
    with torch.no_grad():
        numbers = _calling(subject.adopt(contract).numbers, sounds)
    return _Tried(contract, numbers, alike=True)


def _field(subject: Subject, contract: Contract, x: Tensor) -> str | None:
    """Return the field of the model's answer that fits the labels."""
    model = subject.adopt(contract).model
    subject.sent.clips += len(x)
    with torch.no_grad():
        answer = _calling(model, contract.prepare(x, subject.sample_rate))
    if subject.options.field is not None:
        rows(picked(answer, subject.options.field), len(x), subject.labels)
        return subject.options.field
    reasons, fitting = [], {}
    for name in fields_of(answer):
        try:
            fitting[name] = rows(picked(answer, name), len(x), subject.labels)
        except MondegreenError as error:
            reasons.append(str(error))
    if not fitting:
        raise MondegreenError(
            reasons[0] if reasons else f"the answer, a {type(answer).__name__}, holds no tensor."
        )
    first, *others = fitting
    for other in others if first not in NAMES else ():
        if bool((fitting[other].argmax(dim=1) != fitting[first].argmax(dim=1)).any()):
            raise MondegreenError(
                f"the fields {first} and {other} of the answer both fit the labels, and say "
                "otherwise; name the one that is meant: --field."
            )
    return first


def _calling(function: Callable[[Tensor], Any], x: Tensor) -> Any:
    """Call what somebody else wrote; whatever it raises is its answer."""
    try:
        return function(x)
    except MondegreenError:
        raise
    except Exception as error:  # whatever somebody's own module raises
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        shown = lines[-1] if lines and lines[0].startswith("The following") else "".join(lines[:1])
        raise MondegreenError(f"{type(error).__name__}: {shown[:200]}") from error


def _precision(module: Callable[..., Any]) -> Precision:
    """Return the precision of the model's first weights."""
    if isinstance(module, nn.Module):
        for parameter in module.parameters():
            name = str(parameter.dtype).removeprefix("torch.")
            for known in get_args(Precision):
                if known == name:
                    return known  # type: ignore[no-any-return]
    return "float32"
