"""Networks that propose a perturbation for a clip and a target."""
