"""The networks that a built-in classifier is made of, each on the front end it is meant for."""

from __future__ import annotations

from torch import nn

from mondegreen.classifiers.features import (
    FrontEndConfig,
    LogMelConfig,
    PaperMFCCConfig,
    WaveformConfig,
    build_front_end,
)
from mondegreen.classifiers.sample_cnn import SampleCNN, SampleCNNConfig
from mondegreen.classifiers.tc_resnet import TCResNet, TCResNetConfig
from mondegreen.classifiers.wide_resnet import WideResNet, WideResNetConfig
from mondegreen.errors import MondegreenError

BackboneConfig = TCResNetConfig | WideResNetConfig | SampleCNNConfig


def backbone_name(config: BackboneConfig) -> str:
    """Return a short name.

    Example:
        >>> backbone_name(WideResNetConfig()), backbone_name(SampleCNNConfig(width=0.25))
        ('wide-resnet-28-10', 'sample-cnn-x0.25')
    """
    if isinstance(config, WideResNetConfig):
        return f"wide-resnet-{config.depth}-{config.width:g}"
    width = "" if config.width == 1.0 else f"-x{config.width:g}"
    kind = f"tc-resnet{config.depth}" if isinstance(config, TCResNetConfig) else "sample-cnn"
    return kind + width


def build_network(
    front_end: FrontEndConfig, backbone: BackboneConfig, labels: int, clip_samples: int
) -> nn.Sequential:
    """Build a front end and the network on top of it.

    Args:
        front_end: What the network hears.
        backbone: The network.
        labels: Number of classes.
        clip_samples: Samples in a clip.

    Raises:
        MondegreenError: The front end does not fit the backbone, or the clips are too short for it.
    """
    network: nn.Module
    if isinstance(backbone, WideResNetConfig):
        if not isinstance(front_end, PaperMFCCConfig):
            raise MondegreenError("a wide-resnet backbone needs the paper-mfcc front end.")
        network = WideResNet(backbone, labels)
    elif isinstance(backbone, SampleCNNConfig):
        if not isinstance(front_end, WaveformConfig):
            raise MondegreenError("a sample-cnn backbone needs the waveform front end.")
        network = SampleCNN(backbone, labels, clip_samples)
    else:
        if not isinstance(front_end, LogMelConfig):
            raise MondegreenError("a tc-resnet backbone needs the log-mel front end.")
        features = front_end.coefficients or front_end.filters
        network = TCResNet(backbone, labels, features)
    return nn.Sequential(build_front_end(front_end), network)
