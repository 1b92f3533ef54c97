"""Judge of how the data are divided: whether the classifier's accuracy is, in part, memory."""

from __future__ import annotations

from mondegreen.report.formatting import percent
from mondegreen.report.reproduction.findings import Finding, cannot_say, merge
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.judges import NEAR
from mondegreen.report.reproduction.results import Leak, Reproduction, Setting
from mondegreen.report.reproduction.statistics import difference_interval, of_units


def leak(reproduction: Reproduction) -> Finding:
    """Judge the classifier's accuracy on music where no track is on both sides."""
    found = []
    for setting in reproduction.settings:
        one = setting.leak
        if isinstance(one, Missing):
            found.append((setting.data, cannot_say(f"Not measured: {one.reason}.")))
        elif isinstance(one, Leak):
            found.append((setting.data, _leak(setting, one)))
    return merge(found, "No setting of this run divides recordings into chunks.")


def _leak(setting: Setting, one: Leak) -> Finding:
    """Judge one setting; recordings are the units, for their clips are heard alike."""
    paper = setting.reported
    reported = ""
    if paper:
        reported = f" (reported for {paper.data}: {percent(paper.clean_accuracy)})"
    text = (
        f"{percent(one.clean_accuracy)}{reported} where pieces of a recording are in training and "
        f"test ({one.split_kind}), {percent(one.honest_accuracy)} where they are not "
        f"({one.honest_split_kind}). {_in_recordings(setting, one)}"
    )
    gap = one.clean_accuracy - one.honest_accuracy
    if gap > 2 * NEAR:
        if one.groups is not None and _difference(setting, one, one.groups)[0] > 0:
            return Finding("contradicts", f"{text} Here the first is, in part, memory.")
        return cannot_say(f"{text} Chance may explain the difference.")
    goal = paper.clean_accuracy if paper else one.clean_accuracy
    if one.honest_accuracy >= goal - NEAR:
        return Finding("supports", text)
    return cannot_say(f"{text} Chance may hide a difference.")


def _difference(setting: Setting, one: Leak, groups: int) -> tuple[float, float]:
    first, second = (one.clean_accuracy, groups), (one.honest_accuracy, setting.groups)
    return difference_interval(first, second)


def _in_recordings(setting: Setting, one: Leak) -> str:
    """Say how surely the difference is known, as far as the file tells."""
    if one.groups is not None:
        low, high = _difference(setting, one, one.groups)
        return (
            f"With recordings for units, {one.groups} and {setting.groups}, the difference has a "
            f"95 % interval of {100 * low:+.1f} to {100 * high:+.1f} points."
        )
    low, high = of_units(one.honest_accuracy, setting.groups)
    return (
        f"With its {setting.groups} recordings for units, the second has a 95 % interval of "
        f"{100 * low:.1f}–{100 * high:.1f}; of how many recordings the first is, the file does "
        "not say."
    )
