"""Attacks by short strings, and comparisons by name."""

from __future__ import annotations

import sys
from typing import Any, get_args

import pytest
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.evaluation.cells import build_cells
from mondegreen.evaluation.recipes import RecipeName, cross, recipe, without_repeats
from mondegreen.evaluation.specs import CLASSES, LOADERS, Sources, build_attack, parse_spec
from mondegreen.report.comparison_cells import TITLES, family_title


class Seen(Attack):
    """Changes nothing."""

    def __init__(self, *, level: float = 0.9, fail_after: int = 0) -> None:
        self.level = level

    @property
    def name(self) -> str:
        return "seen"

    def parameters(self) -> dict[str, Any]:
        return {"level": self.level}

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        return 0 * x


def test_specs_are_read() -> None:
    spec = parse_spec("generator+3:quietness=0.5")
    assert (spec.kind, spec.family, spec.quietness) == ("generator", "generator", 0.5)
    assert spec.options == {"refine": 3, "quietness": 0.5}
    own = parse_spec("my.attacks:Burst:level=0.5,loud=true,name=x")
    assert own.kind == "my.attacks:Burst"
    assert own.options == {"level": 0.5, "loud": True, "name": "x"}
    assert parse_spec("pgd:steps=20,start=random").family == "pgd:start=random"


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "generator+", "generator+x", "pgd+3", "pgd:steps", "pgd:steps=", "pgd:=1"],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(MondegreenError, match="attack"):
        parse_spec(text)


def test_own_attacks_join(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    class Module(nn.Module):
        Seen = Seen
        Number = int

    monkeypatch.setitem(sys.modules, "my_attacks", Module())
    cells = build_cells(
        cross(["my_attacks:Seen:level=0.25"], ["snr:20", "none"]), classifier, Sources()
    )
    assert cells[0].attack is cells[1].attack
    assert cells[0].attack.parameters() == {"level": 0.25}
    assert [cell.name for cell in cells] == [
        "my_attacks-Seen-level=0.25--snr-20",
        "my_attacks-Seen-level=0.25--none",
    ]
    for text, reason in (
        ("my_attacks:Seen:loud=1", "loud.*its options: level, fail_after"),
        ("my_attacks:Gone", "cannot import Gone"),
        ("no_such_module:Seen", "cannot import Seen from no_such_module"),
        ("my_attacks:Number", r"no mondegreen\.Attack"),
        ("universal", "--universal"),
        ("filter", "--filter"),
        ("generator", "--generator"),
    ):
        with pytest.raises(MondegreenError, match=reason):
            build_cells(cross([text], ["snr:20"]), classifier, Sources())


def test_every_short_name_makes_its_attack_and_has_a_title(classifier: Classifier) -> None:
    for name in CLASSES:
        if name != "generator":
            attack = build_attack(parse_spec(name), classifier, Sources())
            assert not attack.untargeted
            assert build_attack(parse_spec(name), classifier, Sources(), untargeted=True).untargeted
    assert set(TITLES) == {*CLASSES, *LOADERS}
    assert family_title("pso:epochs=10,iterations=3") == (
        "SirenAttack (particle swarm; epochs=10, iterations=3)"
    )


def test_attacks_that_seek_the_smallest_perturbation_are_known(classifier: Classifier) -> None:
    entries = cross(["cw", "cw:minimal=false", "pgd@snr:20", "genetic"], ["none", "snr:20"])
    cells = build_cells(entries, classifier, Sources())
    assert [cell.name for cell in cells if cell.smallest] == ["cw--none"]
    assert [str(cell.budget) for cell in cells if cell.label == "pgd"] == ["snr:20.0"]


@pytest.mark.parametrize("name", get_args(RecipeName))
def test_attacks_of_the_recipes_can_be_made(classifier: Classifier, name: RecipeName) -> None:
    entries = recipe(name)
    assert len(without_repeats(entries)) == len(entries) > 5
    plain = [entry for entry in entries if entry.spec.kind not in ("generator", *LOADERS)]
    cells = build_cells(plain, classifier, Sources())
    assert len({cell.name for cell in cells}) == len(cells)
    # What needs a budget has one.
    for cell in cells:
        assert cell.budget is not None or cell.label.partition(":")[0] in (
            "cw",
            "deepfool",
            "genetic",
        )


def test_evolutionary_attacks_state_their_limits() -> None:
    for name in ("black-box", "paper-table-1"):
        texts = {entry.spec.text for entry in recipe(name)}
        assert "genetic:iterations=500" in texts
        assert {"pso:epochs=10", "square:queries=5000"} <= texts


def test_the_papers_rivals_meet_the_generators_budget_and_their_own() -> None:
    entries = [(entry.spec.kind, str(entry.budget)) for entry in recipe("paper-table-1")]
    for kind in ("generator", "pgd", "genetic", "pso", "square", "universal"):
        assert (kind, "snr:20.0") in entries
    assert ("genetic", "None") in entries and ("pso", "linf:0.0078125") in entries


def test_recipes_hold_the_attacks_that_they_promise() -> None:
    curves = [(entry.spec.text, str(entry.budget)) for entry in recipe("curves", dial=True)]
    assert ("generator+5", "snr:40.0") in curves and ("filter", "snr:10.0") in curves
    assert ("generator:quietness=0.25", "snr:20.0") in curves
    pareto = recipe("pareto")
    refined = [entry.spec for entry in pareto if entry.spec.kind == "generator"]
    assert {spec.options.get("refine", 0) for spec in refined} == {0, 1, 2, 3, 5, 10}
    assert len(without_repeats([*pareto, *cross(["generator"], ["snr:25"])])) == len(pareto)
