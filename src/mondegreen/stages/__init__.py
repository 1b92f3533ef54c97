"""Commands run as stages of a longer job: each in its own process, resumed, counted."""
