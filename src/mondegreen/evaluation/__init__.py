"""Measuring an attack over a data set."""
