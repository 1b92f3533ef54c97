"""Attacks behind one protocol."""
