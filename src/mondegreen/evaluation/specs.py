"""Attacks by short strings: ``generator+3``, ``pgd:steps=20``, ``my_module:MyAttack:level=2``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mondegreen.attacks.attack import Attack
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.extensions import Value, construct, find, is_place, parse_options
from mondegreen.generators.generator import Generator
from mondegreen.zoo import resolve

CLASSES = {
    "generator": "mondegreen.attacks.generator:GeneratorAttack",
    "fgsm": "mondegreen.attacks.fast_gradient:FastGradient",
    "bim": "mondegreen.attacks.basic_iterative:BasicIterative",
    "pgd": "mondegreen.attacks.gradient:ProjectedGradient",
    "mi-fgsm": "mondegreen.attacks.momentum:MomentumIterative",
    "apgd": "mondegreen.attacks.auto_gradient:AutoProjectedGradient",
    "cw": "mondegreen.attacks.carlini_wagner:CarliniWagner",
    "deepfool": "mondegreen.attacks.deepfool:DeepFool",
    "genetic": "mondegreen.attacks.genetic:GeneticAttack",
    "pso": "mondegreen.attacks.particle_swarm:ParticleSwarm",
    "square": "mondegreen.attacks.square:SquareAttack",
}
"""Short names of attacks that are made from their options alone, or with the generator."""

SMALLEST = ("cw", "deepfool")
"""Those that, without a budget, seek the smallest perturbation of each clip."""

LOADERS = {
    "universal": "mondegreen.attacks.universal:load_universal",
    "filter": "mondegreen.attacks.linear_filter:load_universal",
}
"""Short names of attacks that are trained beforehand and loaded from a run's folder."""

GRAMMAR = "write name, name+steps, name:option=value,option=value or module:Class"

_CHANNEL = re.compile(r"[:,]channel=(.+)$")


@dataclass(frozen=True)
class AttackSpec:
    """An attack as it is asked for."""

    text: str
    """How it was written: the attack's label in tables."""
    kind: str
    """A short name, or ``module:Class``."""
    options: Mapping[str, Value]
    """Keyword arguments of the constructor."""

    @property
    def family(self) -> str:
        """The attack without its number of steps and its quietness: one line of a figure."""
        rest = {k: v for k, v in self.options.items() if k not in ("refine", "steps", "quietness")}
        options = ",".join(f"{key}={value}" for key, value in rest.items())
        return f"{self.kind}:{options}" if options else self.kind

    @property
    def seeks_smallest(self) -> bool:
        """Whether the attack, without a budget, seeks the smallest perturbation of each clip."""
        return self.kind in SMALLEST and self.options.get("minimal", True) is not False

    @property
    def quietness(self) -> float | None:
        """The generator's quietness, where it was named."""
        value = self.options.get("quietness")
        return None if value is None else float(value)


@dataclass(frozen=True)
class Sources:
    """What trained attacks are made from; None where it was not given."""

    generator: Generator | None = None
    folders: Mapping[str, Path | None] | None = None
    """Run folders by short name: ``universal``, ``filter``."""


def parse_spec(text: str) -> AttackSpec:
    """Read an attack's short string.

    Args:
        text: A short name (of :data:`CLASSES` and :data:`LOADERS`) or ``module:Class``; of a
            generator ``+k`` for k refining steps; and after a colon the constructor's options. The
            option ``channel`` comes last: its value is the rest of the text.

    Raises:
        MondegreenError: It is not understood.

    Example:
        >>> parse_spec("generator+3:quietness=0.5").options
        {'refine': 3, 'quietness': 0.5}
        >>> parse_spec("my_attacks:Burst:level=2").kind
        'my_attacks:Burst'
        >>> parse_spec("pgd:steps=9,channel=mp3:kbps=32+gain:db=-3").options
        {'steps': 9, 'channel': 'mp3:kbps=32+gain:db=-3'}
    """
    channel = _CHANNEL.search(text)
    parts = (text[: channel.start()] if channel else text).split(":")
    written = parts.pop() if "=" in parts[-1] else ""
    name, plus, steps = ":".join(parts).partition("+")
    options: dict[str, Value] = {}
    known = name in CLASSES or name in LOADERS
    own = not known and is_place(name)
    own = own and name.partition(":")[0] not in (*CLASSES, *LOADERS)
    if not (known or own):
        names = ", ".join([*CLASSES, *LOADERS])
        raise MondegreenError(f"attack {text!r} is not understood; {GRAMMAR}. Names: {names}.")
    if plus:
        if name != "generator" or not steps.isdecimal():
            raise MondegreenError(f"attack {text!r}: only generator+STEPS refines, with a number.")
        options["refine"] = int(steps)
    options.update(parse_options(written, f"attack {text!r}"))
    if channel:
        options["channel"] = channel.group(1)
    return AttackSpec(text, name, options)


def build_attack(
    spec: AttackSpec, classifier: Classifier, sources: Sources, *, untargeted: bool = False
) -> Attack:
    """Make the attack that a short string asks for.

    Args:
        spec: The attack.
        classifier: What it will be used against.
        sources: The generator and the folders of trained attacks.
        untargeted: Make it one that gets away from labels.

    Raises:
        MondegreenError: Something it needs is missing, its options are wrong, there is no such
            class, or it cannot do what is asked for.
    """
    options = dict(spec.options)
    if options.get("untargeted", untargeted) != untargeted:
        raise MondegreenError(
            f"attack {spec.text!r}: all attacks of a comparison have one goal; give --untargeted "
            "to compare instead of the attack's own option."
        )
    if spec.kind in LOADERS:
        if untargeted:
            raise _no_escape(spec)
        folder = (sources.folders or {}).get(spec.kind)
        if folder is None:
            raise MondegreenError(
                f"attack {spec.text!r} is trained beforehand: give its run by --{spec.kind}, or "
                "name other attacks by --attacks."
            )
        if options:
            raise MondegreenError(f"attack {spec.text!r}: {spec.kind} takes no options.")
        attack: Attack = _find(spec, LOADERS[spec.kind])(resolve(folder), classifier)
        return attack
    factory = _find(spec, CLASSES.get(spec.kind, spec.kind))
    if untargeted:
        options["untargeted"] = True
    if spec.kind == "generator":
        if sources.generator is None:
            raise MondegreenError(f"attack {spec.text!r} needs a generator; give --generator.")
        made = _construct(spec, factory, {"generator": sources.generator, **options})
    else:
        made = _construct(spec, factory, options)
    made.refuse_unable(classifier)  # before hours of other attacks
    return made


def _no_escape(spec: AttackSpec) -> MondegreenError:
    return MondegreenError(
        f"attack {spec.text!r} only reaches targets; leave it out, or compare without --untargeted."
    )


def _takes(factory: Any, option: str) -> bool:
    known = inspect.signature(factory).parameters.values()
    return any(one.name == option or one.kind is one.VAR_KEYWORD for one in known)


def _find(spec: AttackSpec, place: str) -> Any:
    return find(place, f"attack {spec.text!r}", here=spec.kind == place)


def _construct(spec: AttackSpec, factory: Any, options: dict[str, Any]) -> Attack:
    if not (isinstance(factory, type) and issubclass(factory, Attack)):
        raise MondegreenError(f"attack {spec.text!r}: {spec.kind} is no mondegreen.Attack.")
    if options.get("untargeted") and not _takes(factory, "untargeted"):
        raise _no_escape(spec)
    return construct(factory, options, f"attack {spec.text!r}")
