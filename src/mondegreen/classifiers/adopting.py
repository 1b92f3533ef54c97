"""Make a classifier of a model that was made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mondegreen.classifiers.adopted import Adopted, Called, Finding
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.probing import Subject, probe
from mondegreen.errors import MondegreenError


def subject_of(
    module: Callable[..., Any], labels: tuple[str, ...], options: ModelOptions, **known: Any
) -> Subject:
    """Return what is to be probed: the model in evaluation mode, on the waveforms it shall take.

    Args:
        module: The model, or any function.
        labels: Its labels, in the order of its answers.
        options: What is known of it.
        **known: Further fields of the subject.

    Raises:
        MondegreenError: It is no model, or its labels or sample rate are not known.
    """
    if isinstance(module, Classifier):
        raise MondegreenError("this is a mondegreen.Classifier already; use it as it is.")
    if not callable(module):
        raise MondegreenError(f"a {type(module).__name__} is no model: it cannot be called.")
    rate, samples = missing_facts(labels, options)
    module = module if isinstance(module, nn.Module) else Called(module)
    if any(is_lazy(parameter) for parameter in module.parameters()):
        raise MondegreenError(
            "the model has layers that take their size from the first clip; call it once with one "
            "before it is adopted."
        )
    for parameter in module.parameters():  # a scripted module refuses to be asked as a whole
        parameter.requires_grad_(False)
    module.eval()
    buffers = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
    return Subject(module, len(labels), rate, samples, options, buffers=buffers, **known)


def missing_facts(labels: tuple[str, ...], options: ModelOptions) -> tuple[int, int]:
    """Return the sample rate and the samples of a clip, or ask for what is not known.

    Args:
        labels: The model's labels.
        options: What is known of it.

    Raises:
        MondegreenError: There are no labels, or no sample rate.

    Example:
        >>> missing_facts(("no", "yes"), ModelOptions(sample_rate=8000))
        (8000, 8000)
    """
    if len(labels) < 2:
        raise MondegreenError(
            "a model does not know how its labels are called: name them in the order of its "
            "answers, two or more: mondegreen adopt ... --labels yes no, or labels= in Python."
        )
    if options.sample_rate is None:
        raise MondegreenError(
            "a model does not say at which sample rate it hears: mondegreen adopt ... "
            "--sample-rate 16000, or sample_rate= in Python."
        )
    return options.sample_rate, options.clip_samples or options.sample_rate


def adopt(
    module: Callable[..., Any],
    labels: tuple[str, ...],
    options: ModelOptions,
    *,
    name: str | None = None,
    sounds: Tensor | None = None,
    **known: Any,
) -> Classifier:
    """Probe a model and return it as a frozen classifier.

    What was found out stands in ``classifier.module.findings``.

    Args:
        module: The model, or any function.
        labels: Its labels, in the order of its answers.
        options: What is known of it.
        name: For tables and files; by default the class's.
        sounds: Clips to try it with; by default noise and tones.
        **known: Further fields of :class:`~mondegreen.classifiers.probing.Subject`.

    Raises:
        MondegreenError: As for :func:`subject_of` and
            :func:`~mondegreen.classifiers.probing.probe`.
    """
    subject = subject_of(module, labels, options, **known)
    adopted = probe(subject, sounds)
    adopted.findings = (*_basics(subject, labels, options), *adopted.findings)
    return classifier_of(adopted, labels, subject.clip_samples, name)


def classifier_of(
    adopted: Adopted, labels: tuple[str, ...], clip_samples: int, name: str | None
) -> Classifier:
    """Return an adopted model as a frozen classifier."""
    model = adopted.model
    kind = model.extra_repr() if isinstance(model, Called) else type(model).__name__
    return Classifier(
        adopted,
        labels=labels,
        sample_rate=adopted.sample_rate,
        clip_samples=clip_samples,
        name=name or kind,
        differentiable=adopted.differentiable,
    ).freeze()


def _basics(subject: Subject, labels: tuple[str, ...], options: ModelOptions) -> list[Finding]:
    shown = ", ".join(labels[:6]) + (", …" if len(labels) > 6 else "")
    seconds = subject.clip_samples / subject.sample_rate
    length = "given" if options.clip_samples else "assumed"
    scaling = "given" if options.scaling else "assumed"
    findings = [
        Finding("labels", f"{len(labels)}: {shown}", "given"),
        Finding("sample rate", f"{subject.sample_rate} Hz", "given"),
        Finding("clip", f"{subject.clip_samples} samples ({seconds:g} s)", length),
        Finding("scaling", options.scaling or "unit", scaling),
    ]
    if options.model_rate is not None:
        findings.append(Finding("resampled for the model", f"{options.model_rate} Hz", "given"))
    return findings
