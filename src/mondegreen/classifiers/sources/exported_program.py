"""A ``torch.export`` file, as ``torch.export.save`` writes it."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self

import torch
from torch import nn

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import FileSource, Model, digest_of, told
from mondegreen.classifiers.sources.torchscript import FACTS, read_facts
from mondegreen.errors import MondegreenError


class ExportedProgram(FileSource):
    """An exported program; its graph was recorded in the mode in which the model was then."""

    kind = "torch.export"
    unseen: ClassVar[str | None] = "runs the program in"
    suffixes = (".pt2",)

    def model(self, options: ModelOptions) -> Model:
        """Load it."""
        digest = digest_of(self.path)
        extra: dict[str, Any] = {FACTS: ""}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of PyTorch about itself
                program = torch.export.load(str(self.path), extra_files=extra)
                module = program.module()
        except Exception as error:  # what it raises depends on where the file is damaged
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise MondegreenError(
                f"{self.path} is no file of torch.export ({reason}). Write it by "
                "torch.export.save, with a PyTorch of this version or an earlier one."
            ) from error
        labels, said = told(read_facts(extra[FACTS], self.text), self.text)
        shape = _input_shape(program)
        fixed = [size if isinstance(size, int) else None for size in shape] or [None]
        samples = [size for size in fixed[1:] if size is not None and size > 2]
        recorded = ModelOptions(clip_samples=samples[-1] if samples else None)
        return Model(
            Recorded(module),
            self.path.stem,
            labels,
            said.completed_by(recorded),
            identity=digest,
            batch=fixed[0],
        )


def _input_shape(program: torch.export.ExportedProgram) -> list[Any]:
    """Return the sizes of the first input: numbers, or symbols where any size will do."""
    wanted = program.graph_signature.user_inputs
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name == (wanted[0] if wanted else None):
            return list(node.meta["val"].shape)
    return []


class Recorded(nn.Module):
    """A recorded graph: it has one mode, and refuses to be switched to another."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph
        self.training = False

    def train(self, mode: bool = True) -> Self:
        """Stay as recorded."""
        return self

    def forward(self, x: torch.Tensor) -> Any:
        """Run the graph."""
        return self.graph(x)
