"""Measures of an attack: success, size, sound, cost."""
