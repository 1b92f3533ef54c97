"""Where classifiers come from that were not trained here: one module a kind of source."""

from mondegreen.classifiers.sources.opening import is_source, open_source
from mondegreen.classifiers.sources.source import Model, Source

__all__ = ["Model", "Source", "is_source", "open_source"]
