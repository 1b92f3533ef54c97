"""The same work on a GPU; skipped, visibly, where there is none."""

from __future__ import annotations

import pytest
import torch

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.budgets import SNR
from mondegreen.classifiers.loading import load_classifier
from mondegreen.gan.discriminator import Discriminator, DiscriminatorConfig
from mondegreen.gan.losses import discriminator_loss, fool_loss
from mondegreen.generators.generator import load_generator
from mondegreen.generators.unet import UNetConfig, UNetGenerator

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def test_the_attack_gives_nearly_the_same_on_both_devices() -> None:
    classifier = load_classifier("zoo:speech-commands")
    generator = load_generator("zoo:speech-commands", classifier)
    attack = GeneratorAttack(generator=generator)
    x = 0.1 * torch.randn(4, 1, 16_384, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 3, 5, 9])
    on_cpu = attack(classifier, x, target, budget=SNR(20.0))
    classifier.cuda()
    generator.cuda()
    on_gpu = attack(classifier, x.cuda(), target.cuda(), budget=SNR(20.0))
    assert bool(SNR(20.0).satisfied(on_gpu.x, on_gpu.x_adv - on_gpu.x).all())
    torch.testing.assert_close(on_gpu.x_adv.cpu(), on_cpu.x_adv, rtol=0.0, atol=2e-3)


def test_a_full_size_step_of_the_papers_networks_fits() -> None:
    x = 0.1 * torch.randn(8, 1, 16_384, device="cuda")
    target = torch.zeros(8, dtype=torch.long, device="cuda")
    generator = UNetGenerator(UNetConfig(), 1).cuda()
    discriminator = Discriminator(DiscriminatorConfig()).cuda()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        x_adv = x + generator.propose(x, target)
        score = discriminator(x_adv)
    loss = fool_loss(score.float()) + discriminator_loss(score.float(), score.float())
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in generator.parameters()]
    assert all(
        gradient is not None and bool(torch.isfinite(gradient).all()) for gradient in gradients
    )
