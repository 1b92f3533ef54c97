"""The paper's experimental section as stages: the plan, the runner, and what came out."""
