"""One command that tells how easily a classifier is fooled: sizes, stages, what was found."""
