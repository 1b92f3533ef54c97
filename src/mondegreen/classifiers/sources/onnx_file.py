"""An ONNX file, run by ONNX Runtime: a black box, since it gives no gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import FileSource, Model, digest_of, told
from mondegreen.errors import MondegreenError
from mondegreen.metrics.extras import require

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_TYPES: dict[str, type[np.number[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
}


class OnnxFile(FileSource):
    """An ONNX file of one input; its metadata may say ``labels`` and ``sample_rate``."""

    kind = "onnx"
    suffixes = (".onnx",)

    def model(self, options: ModelOptions) -> Model:
        """Load it."""
        digest = digest_of(self.path)
        session = self._session()
        inputs = session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs) or "none"
            raise MondegreenError(
                f"{self.path} has {len(inputs)} inputs ({names}); a classifier takes the clips "
                "and nothing else. Export the model with the others as constants."
            )
        if inputs[0].type not in _TYPES:
            raise MondegreenError(f"{self.path} takes {inputs[0].type}; clips are floats or int16.")
        labels, said = told(session.get_modelmeta().custom_metadata_map, self.text)
        fixed = [size if isinstance(size, int) else None for size in inputs[0].shape] or [None]
        samples = [size for size in fixed[1:] if size is not None and size > 2]
        known = ModelOptions(
            clip_samples=samples[-1] if samples else None,
            scaling="int16" if issubclass(_TYPES[inputs[0].type], np.integer) else None,
        )
        return Model(
            OnnxModule(session),
            self.path.stem,
            labels,
            said.completed_by(known),
            identity=digest,
            batch=fixed[0],
            black_box=True,
        )

    def _session(self) -> InferenceSession:
        require("onnxruntime", "onnx")
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = torch.get_num_threads()
        settings.log_severity_level = 3  # errors; they are raised, too
        try:
            return onnxruntime.InferenceSession(
                str(self.path), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no base class of their own
            reason = str(error).splitlines()[0]
            raise MondegreenError(f"{self.path} is not a readable ONNX file ({reason}).") from error


class OnnxModule(nn.Module):
    """A session of ONNX Runtime as a module, on the CPU, without gradients.

    Args:
        session: A loaded graph of one input.
    """

    def __init__(self, session: InferenceSession) -> None:
        super().__init__()
        self.session = session

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Return the outputs by name.

        Raises:
            MondegreenError: The graph refuses the input.
        """
        taken = self.session.get_inputs()[0]
        array = x.detach().cpu().numpy()
        kind = _TYPES[taken.type]
        if issubclass(kind, np.integer):
            limits = np.iinfo(kind)
            array = np.clip(np.rint(array), limits.min, limits.max)
        names = [one.name for one in self.session.get_outputs()]
        try:
            outputs = self.session.run(names, {taken.name: array.astype(kind, copy=False)})
        except Exception as error:  # its errors have no base class of their own
            raise MondegreenError(f"ONNX Runtime: {str(error).splitlines()[0]}") from error
        return dict(zip(names, outputs, strict=True))

    def extra_repr(self) -> str:
        """Name the inputs and outputs."""
        ends = [*self.session.get_inputs(), *self.session.get_outputs()]
        return ", ".join(f"{one.name}{one.shape}" for one in ends)
