"""Goals of an attack on a tagger, as they are written."""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mondegreen.data.goals import Goal, check_goals, goals_among, labels_of, parse_goal
from mondegreen.errors import MondegreenError

SURROGATES: tuple[Literal["Cs"]] = ("Cs",)
TAGS = st.text(
    st.characters(exclude_characters='";/\\\n=', exclude_categories=SURROGATES), min_size=1
)


@st.composite
def any_goal(draw: st.DrawFn) -> Goal:
    tags = draw(st.lists(TAGS.filter(lambda tag: tag == tag.strip()), min_size=1, unique=True))
    cut = draw(st.integers(0, len(tags)))
    name = draw(st.none() | st.from_regex(r"[a-z][a-z0-9 _]{0,6}[a-z0-9]", fullmatch=True))
    return Goal(tuple(tags[:cut]), tuple(tags[cut:]), None if name == "none" else name)


@given(any_goal())
def test_what_is_written_is_read_again(goal: Goal) -> None:
    assert parse_goal(goal.text) == goal


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        goal = parse_goal(text)
    except MondegreenError:
        return
    assert parse_goal(goal.text) == goal and (goal.on or goal.off)


@pytest.mark.parametrize(
    ("text", "on", "off", "label"),
    [
        ("+rain", ("rain",), (), "+rain"),
        ("-dog_bark", (), ("dog_bark",), "-dog_bark"),
        ("+rain-dog_bark", ("rain",), ("dog_bark",), "+rain-dog_bark"),
        ("hush=-dog_bark-rooster", (), ("dog_bark", "rooster"), "hush"),
        (" + rain - dog bark ", ("rain",), ("dog bark",), "+rain-dog bark"),
        ('-"hip-hop"+Dog, bark', ("Dog, bark",), ("hip-hop",), '+Dog, bark-"hip-hop"'),
        ("loud=+Speech/Male", ("Speech/Male",), (), "loud"),
    ],
)
def test_goals_are_read(text: str, on: tuple[str, ...], off: tuple[str, ...], label: str) -> None:
    goal = parse_goal(text)
    assert (goal.on, goal.off, goal.label) == (on, off, label)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not understood"),
        ("rain", "not understood"),
        ("+", "not understood"),
        ("hush=", "not understood"),
        ("+rain=-dog", "not understood"),
        ('+"rain', "not understood"),
        ("+rain+", "not understood"),
        ("+rain-rain", "wants rain on and off"),
        ("a=+rain+dog-dog", "wants dog on and off"),
        ("+rain+rain", "names a tag twice"),
        ("none=+rain", "cannot be called 'none'"),
        ("+Speech/Male", "cannot be called"),
        ("+rain;dog", "neither"),
    ],
)
def test_what_is_no_goal_is_refused(text: str, message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        parse_goal(text)


def test_a_goal_is_met_by_all_its_tags() -> None:
    goal = parse_goal("+rain-dog")
    found = {
        (rain, dog, sea): goal.met_by(
            [tag for tag, on in (("rain", rain), ("dog", dog), ("sea", sea)) if on]
        )
        for rain, dog, sea in product((False, True), repeat=3)
    }
    assert found == {case: case[0] and not case[1] for case in found}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no goals"),
        (["a=+rain", "a=+dog"], "two goals are called 'a'"),
        (["+rain-dog", "b=-dog+rain"], "want the same"),
        (["+rain+sea-dog", "+rain"], r"whatever meets the goal \+rain\+sea-dog meets \+rain"),
        (["-dog", "+sea", "b=-cat-dog"], "Put b=-cat-dog into a folder of its own"),
    ],
)
def test_goals_that_cannot_be_told_apart_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(MondegreenError, match=message):
        check_goals([parse_goal(text) for text in texts])


def test_labels_stand_for_goals() -> None:
    goals = tuple(map(parse_goal, ("+rain", "hush=-dog")))
    assert goals_among(labels_of(goals), ("hush=-dog",)) == goals
    assert goals_among(None, ("hush=-dog", "+rain")) == goals[::-1]
    assert goals_among(None) is None
    assert goals_among(("yes", "no")) is None
    assert goals_among(("none", "speech")) is None  # an ordinary classifier may have that label
    with pytest.raises(MondegreenError, match="nothing says what the goal 'hush' wants"):
        goals_among(("none", "+rain", "hush"))
