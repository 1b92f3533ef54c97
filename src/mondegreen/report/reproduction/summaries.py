"""Tables beyond the paper's: kinds of generators, the ablation, the leak, and the stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mondegreen.report.formatting import DASH, duration, number, percent, size
from mondegreen.report.paper import ABLATION
from mondegreen.report.reproduction.generators import GeneratorScores, Missing
from mondegreen.report.reproduction.results import KINDS, Leak, Reproduction, Setting
from mondegreen.report.reproduction.trainings import (
    READINGS,
    VARIANTS,
    Ablation,
    Training,
    spread,
)
from mondegreen.report.reproduction.words import (
    differences,
    interval_of,
    kinds_missing,
    network_name,
)
from mondegreen.report.tables import Table


def kinds(reproduction: Reproduction) -> Table:
    """Return one network a target beside one for all (footnote 3): success, quality and cost."""
    head = (
        "setting",
        "generators",
        "networks",
        "parameters in all",
        "steps",
        "training",
        "budget",
        "success (95 % interval)",
        "SNR (dB)",
        "PESQ nb",
        "ms a clip",
        "remark",
    )
    rows: list[tuple[str, ...]] = []
    for setting in reproduction.settings:
        for kind, part in setting.generators.items():
            if isinstance(part, Missing):
                rows.append((setting.key, KINDS[kind], *(DASH,) * 9, part.reason))
            else:
                rows.append((setting.key, KINDS[kind], *_kind_cells(part)))
    note = "Steps and training time are of all networks of a row together."
    return Table("One network a target, or one for all", head, tuple(rows), 2, True, note)


def _kind_cells(part: GeneratorScores) -> tuple[str, ...]:
    seconds = part.training_seconds
    return (
        str(part.networks),
        size(part.parameters),
        f"{part.steps:,}",
        DASH if seconds is None else duration(seconds),
        str(part.budget),
        interval_of(part),
        number(part.snr_db.mean),
        number(part.pesq_nb.mean, 3),
        number(part.cost.batch1_ms),
        network_name(part),
    )


def success_by_target(setting: Setting) -> Table:
    """Return the success of every target, by kind of generator, beside what section V-B gives."""
    measured, paper = setting.measured(), setting.reported_by_target
    reported = ("reported",) if paper else ()
    head = ("target", *reported, *(KINDS[kind] for kind in measured))
    rows = []
    for label in setting.labels:
        row = [label]
        if paper:
            known = paper.target(label)
            row.append(percent(known.success_rate if known else None, 1))
        for scores in measured.values():
            found = scores.per_target.get(label)
            row.append(percent(found.success_rate if found else None, 1))
        rows.append(tuple(row))
    average = [percent(paper.proposed.success_rate, 1)] if paper else []
    average += [percent(scores.success_rate, 1) for scores in measured.values()]
    rows.append(("all pairs", *average))
    note = kinds_missing(setting)
    return Table(f"Success by target on {setting.data}", head, tuple(rows), note=note)


def ablation(found: Ablation) -> Table:
    """Return success, quality and sparseness under every choice of losses, over the seeds."""
    head = (
        "eq. 9",
        "losses",
        "seeds",
        "best training success, reported",
        "measured",
        "last",
        "test success",
        "SNR (dB)",
        "PESQ nb",
        "energy in a tenth",
    )
    best = {one.variant: one.best for one in ABLATION}
    rows = [
        (
            READINGS[reading],
            VARIANTS[variant],
            str(len(trainings)),
            percent(best.get(variant)),
            _over(trainings, lambda one: one.best, 100, " %"),
            _over(trainings, lambda one: one.last, 100, " %"),
            _over(trainings, lambda one: one.success_rate, 100, " %"),
            _over(trainings, lambda one: one.snr_db),
            _over(trainings, lambda one: one.pesq_nb, digits=2),
            _over(trainings, lambda one: one.energy_in_tenth, 100, " %"),
        )
        for reading, variant, trainings in found.groups()
    ]
    pairs = sorted({one.pairs for one in found.trainings})
    shown = (
        f"{pairs[0]:,}" if len(pairs) == 1 else f"{pairs[0]:,} to {pairs[-1]:,}" if pairs else "0"
    )
    note = (
        "Means, and in brackets the range over the seeds. Energy in a tenth: the share of the "
        "perturbation's energy in its loudest tenth of samples; 10 % is a constant level, 44 % is "
        f"Gaussian noise, more is sparse. Test success is of {shown} pairs a training."
    )
    title = f"Losses of the generator, “{found.source}” → “{found.target}”"
    return Table(title, head, tuple(rows), 2, note=note)


def _over(
    trainings: Sequence[Training],
    value: Callable[[Training], float | None],
    scale: float = 1.0,
    unit: str = "",
    digits: int = 1,
) -> str:
    found = spread(trainings, value)
    if found is None:
        return DASH
    text = f"{scale * found.mean:.{digits}f}{unit}"
    if found.count == 1:
        return text
    return f"{text} ({scale * found.low:.{digits}f}–{scale * found.high:.{digits}f})"


def leaks(reproduction: Reproduction) -> Table:
    """Return clean accuracy where pieces of a recording are on both sides, and where not."""
    head = ("setting", "division", "clean accuracy, reported", "measured", "remark")
    rows = []
    for setting in reproduction.settings:
        if isinstance(setting.leak, Leak):
            reported = percent(setting.reported.clean_accuracy) if setting.reported else DASH
            accuracy = percent(setting.leak.clean_accuracy)
            rows.append((setting.key, setting.leak.split_kind, reported, accuracy, "leaks"))
            honest = percent(setting.leak.honest_accuracy)
            kept = "whole recordings on one side"
            rows.append((setting.key, setting.leak.honest_split_kind, DASH, honest, kept))
        elif isinstance(setting.leak, Missing):
            rows.append((setting.key, DASH, DASH, DASH, setting.leak.reason))
    note = (
        "The authors' code divides music by one-second chunk, so pieces of one track are in "
        "training and in test."
    )
    title = "What dividing by chunk does to the classifier's accuracy"
    return Table(title, head, tuple(rows), 2, True, note)


def stages(reproduction: Reproduction) -> Table:
    """Return what was done, what it cost, and what is left."""
    head = ("stage", "what", "state", "time", "processor time", "remark")
    rows = tuple(
        (
            one.name,
            one.title,
            one.state,
            DASH if one.seconds is None else duration(one.seconds),
            DASH if one.processor_seconds is None else duration(one.processor_seconds),
            one.reason,
        )
        for one in reproduction.stages
    )
    total = sum(one.seconds or 0.0 for one in reproduction.stages)
    busy = sum(one.processor_seconds or 0.0 for one in reproduction.stages)
    count = len(reproduction.stages)
    done = sum(one.state == "done" for one in reproduction.stages)
    note = (
        f"{done} of {count} stages are done; their times add up to {duration(total)} "
        f"({duration(busy)} of processor time)."
    )
    left = [one.name for one in reproduction.stages if one.state != "done"]
    note += f" Not done: {', '.join(left)}." if left else ""
    return Table("Stages of the run", head, rows, 3, True, note)


def settings(reproduction: Reproduction) -> Table:
    """Return what was attacked in every setting, and what makes it unlike the paper's."""
    head = (
        "setting",
        "data",
        "beside",
        "classifier",
        "clean accuracy, reported",
        "measured",
        "clips to train / test",
        "divided by",
        "unlike the paper",
    )
    rows = []
    for one in reproduction.settings:
        paper = one.reported
        network = one.generators["single"]
        unlike = [one.remark.rstrip(".")]
        if isinstance(network, GeneratorScores):
            unlike += [difference.text for difference in differences(one, network)]
        rows.append(
            (
                one.key,
                one.data,
                paper.name if paper else DASH,
                f"{one.classifier.name}, {size(one.classifier.parameters)} parameters",
                percent(paper.clean_accuracy if paper else None),
                percent(one.clean_accuracy),
                f"{one.train_clips:,} / {one.test_clips:,}",
                one.split_kind,
                "; ".join(unlike),
            )
        )
    return Table("What was run", head, tuple(rows), 4, True)
