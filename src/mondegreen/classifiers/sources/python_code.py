"""A model that Python builds: ``my_model.py:build``, ``my_package.models:build``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from torch import nn

from mondegreen.classifiers.contract import ModelOptions
from mondegreen.classifiers.sources.source import Model, Source, told
from mondegreen.errors import MondegreenError

_FILE = re.compile(r"(?P<file>.+\.py)(?::(?P<name>\w+))?", re.DOTALL)
_MODULE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<name>\w+)")


class PythonCode(Source):
    """A function or an object in a Python file, or in a module that Python finds.

    A function, or a class, that can be called without arguments is called and returns the model;
    any other is the model itself. The user's own code runs.
    """

    kind = "python"
    unseen: ClassVar[str | None] = "runs the Python code of"

    @classmethod
    def claims(cls, text: str) -> bool:
        """Tell by ``.py`` or by the form ``module:name``."""
        return bool(_FILE.fullmatch(text) or _MODULE.fullmatch(text))

    @property
    def path(self) -> Path | None:
        """The file."""
        found = _FILE.fullmatch(self.text)
        if found:
            return Path(found["file"])
        name = self.text.partition(":")[0]
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        return Path(spec.origin) if spec is not None and spec.origin is not None else None

    def model(self, options: ModelOptions) -> Model:
        """Run the code."""
        file = _FILE.fullmatch(self.text)
        name = file["name"] if file else self.text.partition(":")[2]
        if not name:
            raise MondegreenError(
                f"{self.text}: name the function that builds the model, too: {self.text}:build."
            )
        module = self._guarded(self._imported, "importing it")
        if not hasattr(module, name):
            raise MondegreenError(f"{self.text}: there is no {name!r} in {module.__file__}.")
        thing = getattr(module, name)
        if _builds(thing):
            thing = self._guarded(thing, f"calling {name}()")
        facts = {
            key: _plain(getattr(thing, key, None))
            for key in ("labels", "sample_rate", "clip_samples")
        }
        labels, known = told(facts, self.text, surely=False)
        return Model(thing, name, labels, known)

    def _guarded(self, function: Any, what: str) -> Any:
        """Run somebody's code; name the line where it fails."""
        try:
            return function()
        except MondegreenError:
            raise
        except Exception as error:  # whatever somebody's own code raises
            line = traceback.extract_tb(error.__traceback__)[-1]
            raise MondegreenError(
                f"{self.text}: {what} failed at {line.filename}, line {line.lineno}: "
                f"{type(error).__name__}: {error}."
            ) from error

    def _imported(self) -> ModuleType:
        if not _FILE.fullmatch(self.text):
            here = str(Path.cwd())
            if here not in sys.path and "" not in sys.path:
                sys.path.append(here)  # an installed command does not look where it is called
            return importlib.import_module(self.text.partition(":")[0])
        path = self.path
        if path is None or not path.is_file():
            raise MondegreenError(f"{path} does not exist; name the Python file of the model.")
        return import_file(path.resolve())


def _builds(thing: Any) -> bool:
    """Tell whether something is to be called to get the model."""
    if isinstance(thing, nn.Module) or not callable(thing):
        return False
    try:
        inspect.signature(thing).bind()
    except (TypeError, ValueError):
        return False
    return True


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def import_file(path: Path) -> ModuleType:
    """Import a Python file, as if it were started in its own folder; once a process.

    Args:
        path: The file, absolute.
    """
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    for name in (path.stem, f"{path.stem}_{digest}"):
        known = sys.modules.get(name)
        if known is None:
            break
        if getattr(known, "__file__", None) == str(path):
            return known
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # for what lies beside it
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
