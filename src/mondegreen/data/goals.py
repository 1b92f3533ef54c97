"""Goals of an attack on a tagger: which tags are to be on, and which off.

Written like ``+rain``, ``-dog_bark`` or ``+rain-dog_bark``, and with a name of its own like
``hush=-dog_bark-rooster``. A tag with one of the signs in its name stands in double quotes:
``+"hip-hop"``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

from mondegreen.errors import MondegreenError

NONE = "none"
"""The label of clips that meet no goal."""

_WISH = re.compile(r'\s*([+-])\s*(?:"([^"]+)"|([^"+\-=]+))\s*')
_NAMED = re.compile(r'\s*([^=+\-"]+?)\s*=(.*)', re.DOTALL)
_PLAIN = re.compile(r'[^"+\-=]+')
_SEPARATORS = "/\\;\n"


@dataclass(frozen=True)
class Goal:
    """Tags that are to be on, and tags that are to be off."""

    on: tuple[str, ...]
    off: tuple[str, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no clip can meet, and names that no label can have."""
        wishes = [*self.on, *self.off]
        if not wishes:
            raise MondegreenError("a goal wishes for nothing; write it like +rain-dog_bark.")
        both = sorted(set(self.on) & set(self.off))
        if both:
            raise MondegreenError(
                f"the goal {self.text} wants {', '.join(both)} on and off; nothing can do that."
            )
        if len(set(wishes)) < len(wishes):
            raise MondegreenError(f"the goal {self.text} names a tag twice; name it once.")
        if any('"' in tag or ";" in tag or not tag for tag in wishes):
            raise MondegreenError(f'the goal {self.text}: a tag has neither " nor ; in its name.')
        if self.label == NONE or any(sign in self.label for sign in _SEPARATORS):
            raise MondegreenError(
                f"the goal {self.text} cannot be called {self.label!r}: {NONE!r} is the label of "
                "clips that meet no goal, and / and \\ do not fit into file names. Give it a name, "
                "such as speech=+Speech/Male."
            )

    @property
    def wishes(self) -> str:
        """The tags and their signs."""
        signed = [("+", tag) for tag in self.on] + [("-", tag) for tag in self.off]
        return "".join(sign + _quoted(tag) for sign, tag in signed)

    @property
    def label(self) -> str:
        """What stands in tables and is typed after ``--target``: the name, or the wishes."""
        return self.name or self.wishes

    @property
    def text(self) -> str:
        """The goal as :func:`parse_goal` reads it."""
        return f"{self.name}={self.wishes}" if self.name else self.wishes

    def met_by(self, tags: Collection[str]) -> bool:
        """Tell whether these tags being on, and all others off, is what the goal wants.

        Example:
            >>> parse_goal("+rain-dog_bark").met_by({"rain", "wind"})
            True
        """
        return set(self.on) <= set(tags) and not set(self.off) & set(tags)


def parse_goal(text: str) -> Goal:
    """Read a goal.

    Args:
        text: Such as ``+rain``, ``-dog_bark``, ``+rain-dog_bark`` or ``hush=-dog_bark-rooster``.

    Raises:
        MondegreenError: It is not understood, contradicts itself, or names a tag twice.

    Example:
        >>> parse_goal("hush=-dog_bark-rooster").off
        ('dog_bark', 'rooster')
    """
    named = _NAMED.fullmatch(text)
    name, wishes = named.groups() if named else (None, text)
    on: list[str] = []
    off: list[str] = []
    position = 0
    while position < len(wishes):
        found = _WISH.match(wishes, position)
        if found is None:
            break
        sign, quoted, plain = found.groups()
        (on if sign == "+" else off).append((quoted or plain).strip())
        position = found.end()
    if position < len(wishes) or not (on or off):
        raise MondegreenError(
            f"the goal {text!r} is not understood. Write tags that are to be on after + and tags "
            "that are to be off after -, such as +rain-dog_bark, a name before = if you like, and "
            'a tag that has + or - in its name in double quotes: +"hip-hop".'
        )
    return Goal(tuple(on), tuple(off), name)


def _quoted(tag: str) -> str:
    plain = _PLAIN.fullmatch(tag) is not None and tag == tag.strip()
    return tag if plain else f'"{tag}"'


def check_goals(goals: Sequence[Goal]) -> None:
    """Refuse goals that cannot be told apart.

    Raises:
        MondegreenError: There are none, two have the same label, or all that one wants another one
            wants, too.
    """
    if not goals:
        raise MondegreenError("no goals are named; give one or more, such as +rain or -dog_bark.")
    labels: set[str] = set()
    for goal in goals:
        if goal.label in labels:
            raise MondegreenError(f"two goals are called {goal.label!r}; name each its own way.")
        labels.add(goal.label)
    for one, other in permutations(goals, 2):
        if set(one.on) == set(other.on) and set(one.off) == set(other.off):
            raise MondegreenError(f"the goals {one.text} and {other.text} want the same.")
        if set(one.on) <= set(other.on) and set(one.off) <= set(other.off):
            raise MondegreenError(
                f"whatever meets the goal {other.text} meets {one.text} at least as clearly, so "
                f"beside that one it is never heard. Put {other.text} into a folder of its own."
            )


def labels_of(goals: Iterable[Goal]) -> tuple[str, ...]:
    """Return the labels of a classifier with these goals."""
    return (NONE, *(goal.label for goal in goals))


def goals_among(
    labels: Sequence[str] | None, definitions: Sequence[str] = ()
) -> tuple[Goal, ...] | None:
    """Return the goals that labels stand for; None where the labels are ordinary ones.

    Args:
        labels: A classifier's; None for all that are defined.
        definitions: Goals as they are written. Those without a name need none: their label says it
            all.

    Raises:
        MondegreenError: Labels begin with ``none`` and a goal, and another one is not defined.

    Example:
        >>> [goal.text for goal in goals_among(("none", "hush", "+rain"), ("hush=-dog_bark",))]
        ['hush=-dog_bark', '+rain']
    """
    known = {goal.label: goal for goal in map(parse_goal, definitions)}
    if labels is None:
        return tuple(known.values()) or None
    if len(labels) < 2 or labels[0] != NONE:
        return None
    if not any(label in known or label[:1] in ("+", "-") for label in labels[1:]):
        return None
    found: list[Goal] = []
    for label in labels[1:]:
        if label not in known and label[:1] not in ("+", "-"):
            raise MondegreenError(
                f"nothing says what the goal {label!r} wants; define it by --goals, such as "
                f"--goals {label}=+rain-dog_bark."
            )
        found.append(known[label] if label in known else parse_goal(label))
    return tuple(found)
