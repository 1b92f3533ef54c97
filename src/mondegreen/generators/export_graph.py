"""Build an ONNX graph node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

Values = np.ndarray[Any, Any] | np.generic
"""Constants; their type counts: ONNX converts nothing on its own."""

Description = tuple["np.dtype[Any]", "list[str | int | None]"]
"""Type and shape of an input or output; a name stands for a length that is free."""

SINGLE, DOUBLE = 1, 11
"""What a cast calls float32 and float64."""

END = 2**31 - 1
"""Where a slice ends that goes to the end."""


class GraphBuilder:
    """Collects the nodes and constants of a graph.

    Values go by their names. Wherever one is expected an array may be given: it becomes a constant,
    the same one for equal arrays.
    """

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], TensorProto] = {}

    def node(self, kind: str, *inputs: str | Values, output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its only output.

        Args:
            kind: The operator.
            inputs: Names of values, or constants; an empty name leaves an optional input out.
            output: Name of the output; by default the operator's with a number.
            attributes: The operator's.
        """
        return self.nodes(kind, *inputs, outputs=[output] if output else 1, **attributes)[0]

    def nodes(
        self, kind: str, *inputs: str | Values, outputs: int | list[str], **attributes: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs."""
        from onnx import helper

        name = f"{kind}_{len(self._nodes) + 1}"
        if isinstance(outputs, int):
            outputs = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        names = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        self._nodes.append(helper.make_node(kind, names, outputs, name, **attributes))
        return outputs

    def model(
        self, inputs: dict[str, Description], outputs: dict[str, Description], opset: int
    ) -> ModelProto:
        """Return the graph as a model.

        Args:
            inputs: What each is.
            outputs: What each is; nodes of the graph have these names as their outputs.
            opset: Version of the operators.
        """
        from onnx import helper

        def listed(values: dict[str, Description]) -> list[ValueInfoProto]:
            return [
                helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(kind), shape)
                for name, (kind, shape) in values.items()
            ]

        constants = list(self._constants.values())
        graph = helper.make_graph(
            self._nodes, "generator", listed(inputs), listed(outputs), constants
        )
        version = helper.make_opsetid("", opset)
        oldest = helper.find_min_ir_version_for([version])
        return helper.make_model(graph, opset_imports=[version], ir_version=oldest)

    def _constant(self, values: Values) -> str:
        from onnx import numpy_helper

        values = np.asarray(values)
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants) + 1}"
            self._constants[key] = numpy_helper.from_array(values, name)
        return self._constants[key].name


def integers(*values: int) -> np.ndarray[Any, Any]:
    """Return a list of integers as shapes and axes are given."""
    return np.array(values, dtype=np.int64)
