from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mondegreen.classifiers.backbones import build_network
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig
from mondegreen.classifiers.features import LogMelConfig, WaveformConfig
from mondegreen.classifiers.loading import load_classifier, save_classifier
from mondegreen.classifiers.sample_cnn import SampleCNN, SampleCNNConfig
from mondegreen.data.gtzan import GENRES
from mondegreen.errors import MondegreenError
from mondegreen.metrics.macs import count_macs
from mondegreen.presets import Preset, classifier_architecture, classifier_training


def configuration(**changes: Any) -> ClassifierConfig:
    return ClassifierConfig(
        labels=GENRES,
        front_end=WaveformConfig(),
        backbone=SampleCNNConfig(**{"width": 0.03, **changes}),
    )


def test_the_papers_network_has_the_papers_size() -> None:
    with torch.device("meta"):
        classifier = Classifier.from_config(configuration(width=1.0))
        macs = count_macs(classifier.eval(), torch.zeros(1, 1, 16_384))
    assert classifier.parameter_count() == 2_445_322
    assert classifier.name == "sample-cnn"
    head = classifier.module[1].head  # type: ignore[index]
    assert (head.in_features, head.out_features) == (7680, 10)
    # Layer by layer: outputs times inputs times three taps times the frames after it.
    frames = [8191, 8191, 4095, 2047, 1023, 511, 255, 127, 63, 31, 15]
    widths = [1, 128, 128, 128, *[256] * 6, 512, 512]
    layers = zip(widths, widths[1:], frames, strict=False)
    assert macs == sum(3 * a * b * time for a, b, time in layers) + 7680 * 10


def reference(net: SampleCNN, x: Tensor) -> Tensor:
    """The layers as the paper lists them, one-dimensional, ReLU ahead of the pooling."""

    def layer(x: Tensor, part: nn.Module, stride: int, padding: int) -> Tensor:
        convolution, norm = part[0], part[1]  # type: ignore[index]
        x = F.conv1d(x, convolution.weight[:, :, 0], convolution.bias, stride, padding)
        x = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        return F.relu(x)

    x = layer(x, net.stem, 2, 0)
    for index, block in enumerate(net.blocks):
        x = layer(x, block, 1, 1)
        if index < 9:
            x = F.max_pool1d(x, 3, 2)
    return F.linear(x.flatten(1), net.head.weight, net.head.bias)


def test_it_is_the_one_dimensional_network() -> None:
    torch.manual_seed(0)
    net = SampleCNN(SampleCNNConfig(width=0.1), labels=10)
    net.train()(0.1 * torch.randn(8, 1, 16_384))  # running statistics of their own
    x = (0.1 * torch.randn(2, 1, 16_384)).requires_grad_()
    logits, expected = net.eval()(x), reference(net, x)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    (gradient,) = torch.autograd.grad(logits[:, 3].sum(), x, retain_graph=True)
    (wanted,) = torch.autograd.grad(expected[:, 3].sum(), x)
    torch.testing.assert_close(gradient, wanted, atol=1e-4, rtol=1e-3)
    assert gradient.abs().sum() > 0


def test_dropout_follows_the_sixth_and_the_eleventh_convolution() -> None:
    net = SampleCNN(SampleCNNConfig(width=0.03, dropout=0.3), labels=10)
    with_dropout = [
        number
        for number, block in enumerate(net.blocks, start=2)
        if any(isinstance(layer, nn.Dropout) for layer in block)  # type: ignore[attr-defined]
    ]
    assert with_dropout == [6, 11]
    assert {layer.p for layer in net.modules() if isinstance(layer, nn.Dropout)} == {0.3}


def test_batches_do_not_matter() -> None:
    torch.manual_seed(0)
    net = SampleCNN(SampleCNNConfig(width=0.03), labels=3, samples=4000).eval()
    x = torch.randn(5, 1, 4000)
    torch.testing.assert_close(net(x)[2:3], net(x[2:3]), atol=1e-5, rtol=1e-5)


def test_saved_and_loaded_it_answers_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = configuration()
    classifier = Classifier.from_config(config).freeze()
    save_classifier(tmp_path, classifier, config)
    loaded = load_classifier(tmp_path)
    x = 0.1 * torch.randn(1, 1, 16_384)
    assert torch.equal(loaded(x), classifier(x))
    assert loaded.fingerprint() == classifier.fingerprint()
    assert loaded.name == "sample-cnn-x0.03"


def test_clips_that_are_too_short_are_refused() -> None:
    shortest = SampleCNN(SampleCNNConfig(width=0.03), 2, 2047).eval()
    assert shortest(torch.zeros(1, 1, 2047)).shape == (1, 2)
    with pytest.raises(MondegreenError, match="2046 samples are too short; 2,047"):
        SampleCNN(SampleCNNConfig(width=0.03), 2, 2046)


def test_it_hears_waveforms_only() -> None:
    with pytest.raises(MondegreenError, match="sample-cnn backbone needs the waveform front end"):
        build_network(LogMelConfig(), SampleCNNConfig(), 10, 16_384)


@pytest.mark.parametrize(
    ("settings", "named"), [({"width": 0.0}, "width is 0"), ({"dropout": 1.0}, "dropout is 1")]
)
def test_impossible_sizes_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(MondegreenError, match=named):
        SampleCNNConfig(**settings)


def test_its_presets_grow_and_mix_nothing_into_the_clips() -> None:
    presets: tuple[Preset, ...] = get_args(Preset)
    trainings = [classifier_training(preset, "sample-cnn") for preset in presets]
    networks = [classifier_architecture(preset, "sample-cnn")[1] for preset in presets]
    assert [t.epochs for t in trainings] == sorted({t.epochs for t in trainings})
    assert [n.width for n in networks] == sorted({n.width for n in networks})
    assert networks[-1] == SampleCNNConfig()
    for preset, training in zip(presets, trainings, strict=True):
        augment = training.augment
        assert augment.noise_probability == augment.babble_probability == 0
        assert classifier_training(preset, "tc-resnet") == classifier_training(preset)
