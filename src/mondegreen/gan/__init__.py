"""The paper's three-party game: discriminator, losses, Algorithm 1."""
