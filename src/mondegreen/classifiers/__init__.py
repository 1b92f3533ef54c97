"""The classifiers under attack, front ends included."""
