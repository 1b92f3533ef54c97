"""The paper's experimental section as stages: what to run, running it, and gathering what came out."""
