"""What an attacker knows, in four words, and how much each attack of the package needs."""

from __future__ import annotations

BLACK_BOX, GENERATOR, WHITE_BOX, KNOWING = (
    "black box",
    "generator",
    "white box",
    "knowing the defence",
)
KNOWLEDGE = (BLACK_BOX, GENERATOR, WHITE_BOX, KNOWING)
"""From the weakest attacker to the strongest: one who asks for probabilities; one who trained a
generator or a universal perturbation beforehand and sees nothing of the classifier any more; one
who has the gradients of the classifier; one who has those of the defence, too."""

WORDS = {
    BLACK_BOX: "asks for probabilities, as often as its number of queries says",
    GENERATOR: "was trained with gradients beforehand, and needs none when it attacks",
    WHITE_BOX: "has the classifier with its gradients, and knows nothing of a defence before it",
    KNOWING: "has the gradients of the classifier and of the defence before it",
}

_BLIND = ("genetic", "pso", "square")
_TRAINED = ("generator", "universal", "filter", "retrained", "through-channels")
_GRADIENTS = ("pgd", "fgsm", "bim", "mi-fgsm", "apgd", "cw", "deepfool")


def knowledge_of(label: str, *, network: bool = False) -> str:
    """Return what an attack has to know, by its short name.

    Args:
        label: As tables name the attack.
        network: Whether its settings name a generator's network, whatever it is called.

    Example:
        >>> knowledge_of("pgd:steps=20"), knowledge_of("square:queries=200")
        ('white box', 'black box')
        >>> knowledge_of("through-channels", network=True)
        'generator'
    """
    kind = attack_kind(label)
    if kind in _BLIND:
        return BLACK_BOX
    if has_gradients(label):
        return WHITE_BOX
    return GENERATOR if network or kind in _TRAINED else WHITE_BOX


def attack_kind(label: str) -> str:
    """Return an attack's short name without options.

    Example:
        >>> attack_kind("generator+5:quietness=0.5"), attack_kind("pgd targeted")
        ('generator', 'pgd')
    """
    return label.partition(":")[0].partition("+")[0].partition(" ")[0]


def has_gradients(label: str) -> bool:
    """Tell whether an attack follows the gradient of what it attacks, by its short name.

    Example:
        >>> has_gradients("generator+5"), has_gradients("generator"), has_gradients("cw")
        (True, False, True)
    """
    return attack_kind(label) in _GRADIENTS or "+" in label.partition(":")[0]
