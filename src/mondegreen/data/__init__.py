"""Data sets: finding clips, dividing them by speaker, decoding them once, drawing batches."""

from mondegreen.data.cache import ClipCache
from mondegreen.data.cache_folder import default_cache_folder
from mondegreen.data.corpus import Clip, Corpus
from mondegreen.data.dataset import ClipDataset, open_splits
from mondegreen.data.download import download_speech_commands
from mondegreen.data.esc10 import esc10
from mondegreen.data.folder import folder_corpus, open_corpus
from mondegreen.data.gtzan import GENRES, gtzan
from mondegreen.data.noise import NoiseBank
from mondegreen.data.speech_commands import (
    TEN_WORDS,
    background_noise_files,
    speech_commands,
    unlabelled,
)
from mondegreen.data.splits import SplitKind, SplitName, hash_split, split_indices

__all__ = [
    "GENRES",
    "TEN_WORDS",
    "Clip",
    "ClipCache",
    "ClipDataset",
    "Corpus",
    "NoiseBank",
    "SplitKind",
    "SplitName",
    "background_noise_files",
    "default_cache_folder",
    "download_speech_commands",
    "esc10",
    "folder_corpus",
    "gtzan",
    "hash_split",
    "open_corpus",
    "open_splits",
    "speech_commands",
    "split_indices",
    "unlabelled",
]
