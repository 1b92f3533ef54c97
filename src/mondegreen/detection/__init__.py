"""Telling adversarial clips from others: scores, thresholds, and classifiers that reject."""
