"""How large a perturbation may be: :class:`SNR`, :class:`L2` and :class:`Linf`.

A budget bounds a norm of the perturbation ``delta`` of every clip on its own. Norms are accumulated
in float64, so the bound also holds for a clip of ten minutes at an amplitude of 1e-6, and what
:meth:`Budget.project` returns never exceeds it.
"""

from mondegreen.budgets.budget import TOLERANCE_DB, Budget, BudgetError, BudgetKind
from mondegreen.budgets.kinds import L2, MAX_DB, SNR, Linf, parse_budget
from mondegreen.budgets.quantize import quantize_within

__all__ = [
    "L2",
    "MAX_DB",
    "SNR",
    "TOLERANCE_DB",
    "Budget",
    "BudgetError",
    "BudgetKind",
    "Linf",
    "parse_budget",
    "quantize_within",
]
