"""The losses of the paper's three-player game, eq. 5 to 10, in each of their readings.

The paper prints one objective and its authors' code minimises another; both are here, named. Norms
are taken over a whole clip, so they grow with the square root of its length: all are scaled to a
clip of 16,384 samples, the paper's, by ``sqrt(16384 / time)``. The paper's weights thus mean the
same for clips of any length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from mondegreen.errors import MondegreenError

AdversarialForm = Literal["least-squares", "log", "log-saturating"]
"""How scores become losses: ``least-squares`` is LSGAN, the others take ``sigmoid(score)``."""

L2Reading = Literal["paper", "code"]
"""What eq. 9 measures: ``paper`` a Euclidean norm, ``code`` a mean absolute value."""

REFERENCE_SAMPLES = 16_384
"""The clip length, in samples, at which the paper's loss weights were chosen."""


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the generator's loss, eq. 5; the defaults are the paper's."""

    adversarial: float = 1.0
    """Of the target classifier's loss, eq. 6; the paper prints no factor, so 1."""
    alpha: float = 1.0
    """Of the loss that fools the discriminator, eq. 7."""
    beta: float = 1.0
    """Of the hinge loss on the perturbation's norm, eq. 8."""
    gamma: float = 100.0
    """Of the L2 loss, eq. 9."""
    matching: float = 0.0
    """Beyond the paper: of the distance between a discriminator's features of x and x_adv."""
    hearing: float = 0.0
    """Beyond the paper: of what is heard of the perturbation where full quietness is asked for."""
    distill: float = 0.0
    """Beyond the paper: of the distance to what a gradient search makes of the perturbation."""

    def __post_init__(self) -> None:
        """Refuse weights that reward what they should punish."""
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0.0):
                raise MondegreenError(
                    f"loss weights: {name} is {value}; choose 0 or a positive number."
                )

    def warm_up(self) -> LossWeights:
        """Return the weights of the warm-up (Algorithm 1, line 6): no classifier.

        Example:
            >>> LossWeights().warm_up().adversarial
            0.0
        """
        return replace(self, adversarial=0.0, distill=0.0)


def classifier_loss(logits: Tensor, target: Tensor) -> Tensor:
    r"""Mean cross-entropy between the classifier's output and the target (eq. 6).

    .. math:: L_{adv}^f = E_x[l_{ce}(f(x_{adv}), y_t)]

    Args:
        logits: What the classifier says of the adversarial clips, before any softmax,
            ``(batch, labels)``.
        target: Index of the label each clip should get, ``(batch,)``, int64.

    Returns:
        The loss in nats, a scalar.

    Example:
        >>> logits = torch.tensor([[0.0, math.log(3.0)]])
        >>> round(classifier_loss(logits, torch.tensor([1])).item(), 4)
        0.2877
    """
    return F.cross_entropy(logits, target)


def margin_loss(logits: Tensor, target: Tensor, kappa: float = 1.0) -> Tensor:
    r"""Mean shortfall of the target's logit against the best other one (Carlini and Wagner 2017).

    .. math:: E_x[\max(0, \max_{i \ne t} f_i(x_{adv}) - f_t(x_{adv}) + \kappa)]

    An alternative to eq. 6. It ends where the clip is fooled with a margin, so that training
    spends its effort on the clips that are not.

    Args:
        logits: What the classifier says of the adversarial clips, ``(batch, labels)``.
        target: Index of the label each clip should get, ``(batch,)``, int64.
        kappa: Margin, in units of the logits, that the target should win by.

    Returns:
        The loss in units of the logits, a scalar; 0 when every target wins by ``kappa`` or more.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0, 0.5], [0.0, 5.0, 1.0]])
        >>> margin_loss(logits, torch.tensor([1, 1]), kappa=1.0)  # shortfalls 2 and 0
        tensor(1.)
    """
    column = target.unsqueeze(1)
    wanted = logits.gather(1, column).squeeze(1)
    best_other = logits.scatter(1, column, -torch.inf).amax(dim=1)
    return (best_other - wanted + kappa).clamp(min=0.0).mean()


def fool_loss(score_adv: Tensor, form: AdversarialForm = "least-squares") -> Tensor:
    r"""Generator's loss for being told from genuine clips (eq. 7), smaller when it fools.

    With D the sigmoid of the score s:

    * ``least-squares``: :math:`E[(s - 1)^2]`, LSGAN, which the authors' code minimises;
    * ``log-saturating``: :math:`E[\log(1 - D)]`, eq. 7 as printed. Its gradient vanishes just where
      the discriminator is sure of the forgery, and it is unbounded below;
    * ``log``: :math:`-E[\log D]`, the usual remedy (Goodfellow 2014), of the same fixed point.

    Args:
        score_adv: Discriminator's raw scores of the adversarial clips, ``(batch,)``.
        form: Which of the three.

    Returns:
        The loss, a scalar, finite at any score that a float can square.

    Raises:
        MondegreenError: ``form`` is none of the three.

    Example:
        >>> fool_loss(torch.tensor([0.0, 3.0]))
        tensor(2.5000)
    """
    if form == "least-squares":
        return (score_adv - 1.0).square().mean()
    if form == "log":
        return -F.logsigmoid(score_adv).mean()
    if form == "log-saturating":
        return F.logsigmoid(-score_adv).mean()  # 1 - sigmoid(s) is sigmoid(-s)
    raise _unknown_form(form)


def discriminator_loss(
    score_real: Tensor, score_adv: Tensor, form: AdversarialForm = "least-squares"
) -> Tensor:
    r"""Discriminator's loss, smaller when it tells genuine from adversarial clips (eq. 10).

    Eq. 10 prints :math:`\frac12 (E[\log(1 - D(x))] + E[\log D(x_{adv})])`. Minimised, that moves
    both scores the right way, yet it is unbounded below and pulls hardest on the clips that are
    told apart already; eq. 11 asks to *maximise* it, which would reverse the game. The text calls
    it "similar to LSGAN", as the authors' code is. So, with D the sigmoid of the score s:

    * ``least-squares``: :math:`\frac12 (E[(s(x) - 1)^2] + E[s(x_{adv})^2])`, LSGAN, as coded;
    * ``log`` and ``log-saturating``: :math:`-\frac12 (E[\log D(x)] + E[\log(1 - D(x_{adv}))])`,
      the cross-entropy that the text describes, bounded below by 0. The two differ only in the
      generator's part, :func:`fool_loss`.

    Args:
        score_real: Raw scores of genuine clips, ``(batch,)``.
        score_adv: Raw scores of adversarial clips, ``(batch,)``; detach the clips beforehand.
        form: Which of the forms.

    Returns:
        The loss, a scalar, finite at any score that a float can square.

    Raises:
        MondegreenError: ``form`` is none of the three.

    Example:
        >>> discriminator_loss(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]))
        tensor(0.5000)
    """
    if form == "least-squares":
        return 0.5 * ((score_real - 1.0).square().mean() + score_adv.square().mean())
    if form in ("log", "log-saturating"):
        return -0.5 * (F.logsigmoid(score_real).mean() + F.logsigmoid(-score_adv).mean())
    raise _unknown_form(form)


def hinge_loss(delta: Tensor, c: float = 0.0) -> Tensor:
    r"""Mean excess of the perturbation's norm over a bound (eq. 8).

    .. math:: L_{hinge} = E_x[\max(0, \sqrt{16384 / T} \|\delta\|_2 - c)]

    The norm is of a whole clip of T samples. In the training, delta is what is left of it when the
    sum was cut to [-1, 1]; so at the paper's c = 0 this is :func:`l2_loss` in the paper's reading.
    The authors' code takes the mean norm, the same at c = 0.

    Args:
        delta: Perturbations, full scale 1, ``(batch, 1, time)``.
        c: Norm, at 16,384 samples, that costs nothing.

    Returns:
        The loss, a scalar; its gradient at a zero perturbation is zero.

    Example:
        >>> delta = torch.zeros(1, 1, 16384)
        >>> delta[0, 0, :2] = torch.tensor([3.0, 4.0])
        >>> hinge_loss(delta, c=1.0)
        tensor(4.)
    """
    return (_clip_norm(delta) - c).clamp(min=0.0).mean()


def l2_loss(x: Tensor, x_adv: Tensor, reading: L2Reading = "paper") -> Tensor:
    r"""Mean size of the change that was made to the clips (eq. 9).

    * ``paper``: :math:`E_x[\sqrt{16384 / T} \|x_{adv} - x\|_2]`, the norm of each clip;
    * ``code``: :math:`E_x[\frac1T \|x_{adv} - x\|_1]`, a mean absolute value over all samples: an
      L1 in spite of its name, some hundred times smaller, and independent of T.

    Args:
        x: Genuine clips, full scale 1, ``(batch, 1, time)``.
        x_adv: Adversarial clips, already clipped to [-1, 1], ``(batch, 1, time)``.
        reading: Which of the two.

    Returns:
        The loss, a scalar; its gradient where nothing changed is zero.

    Raises:
        MondegreenError: ``reading`` is neither.

    Example:
        >>> x = torch.zeros(2, 1, 16384)
        >>> l2_loss(x, x + 0.5), l2_loss(x, x + 0.5, reading="code")
        (tensor(64.), tensor(0.5000))
    """
    if reading == "paper":
        return _clip_norm(x_adv - x).mean()
    if reading == "code":
        return (x_adv - x).abs().mean()
    raise MondegreenError(f"l2 loss: reading {reading!r} is neither 'paper' nor 'code'.")


def generator_loss(
    *,
    classifier: Tensor | None = None,
    fool: Tensor | None = None,
    hinge: Tensor | None = None,
    l2: Tensor | None = None,
    matching: Tensor | None = None,
    hearing: Tensor | None = None,
    distill: Tensor | None = None,
    weights: LossWeights,
) -> Tensor:
    r"""Weighted sum of the generator's losses (eq. 5, and three terms more).

    .. math:: L_G = w L_{adv}^f + \alpha L_{fool} + \beta L_{hinge} + \gamma L_2
        + \mu L_{match} + \eta L_{hear} + \nu L_{distill}

    A term that is not given, or whose weight is zero, takes no part at all, so that the classifier
    need not run in the warm-up and a diverged score cannot spoil a sum it has no weight in.

    Args:
        classifier: Eq. 6, or a margin loss in its place, a scalar like the others.
        fool: Eq. 7.
        hinge: Eq. 8.
        l2: Eq. 9.
        matching: Distance of the discriminator's features, beyond the paper.
        hearing: How audible the perturbations are, beyond the paper.
        distill: How far they are from what a search makes of them, beyond the paper.
        weights: The paper's are w = 1, alpha = 1, beta = 1, gamma = 100.

    Returns:
        The loss to minimise, a scalar.

    Raises:
        MondegreenError: No term is left.

    Example:
        >>> one = torch.tensor(1.0)
        >>> generator_loss(classifier=one, fool=one, hinge=one, l2=one, weights=LossWeights())
        tensor(103.)
    """
    pairs = (
        (weights.adversarial, classifier),
        (weights.alpha, fool),
        (weights.beta, hinge),
        (weights.gamma, l2),
        (weights.matching, matching),
        (weights.hearing, hearing),
        (weights.distill, distill),
    )
    terms = [weight * term for weight, term in pairs if term is not None and weight != 0.0]
    if not terms:
        raise MondegreenError(
            "the generator's loss has no terms; give one of the loss weights a positive value."
        )
    return torch.stack(terms).sum()


def _clip_norm(delta: Tensor) -> Tensor:
    """Return each clip's Euclidean norm, as if its level had lasted 16,384 samples."""
    flat = delta.flatten(1)
    # vector_norm has gradient 0 at 0, where the square root of a sum would give NaN.
    norm: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return norm * math.sqrt(REFERENCE_SAMPLES / flat.shape[1])


def _unknown_form(form: str) -> MondegreenError:
    return MondegreenError(
        f"adversarial form {form!r} is none of 'least-squares', 'log' and 'log-saturating'."
    )
