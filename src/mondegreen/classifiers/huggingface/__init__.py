"""Audio-classification models of Hugging Face Transformers as classifiers.

Their feature extractors compute in NumPy, where no gradient passes. Here each is written once more
in PyTorch and is part of the classifier; at loading it is compared with the original.
"""

from mondegreen.classifiers.huggingface.loading import from_huggingface
from mondegreen.classifiers.huggingface.model import HuggingFaceClassifier
from mondegreen.classifiers.huggingface.parity import Parity

__all__ = ["HuggingFaceClassifier", "Parity", "from_huggingface"]
