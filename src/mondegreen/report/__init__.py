"""Figures, the one-file page, tables: what an evaluation found, for people to read."""
