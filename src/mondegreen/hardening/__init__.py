"""Adversarial training: a classifier that learns from the attacks on itself."""
