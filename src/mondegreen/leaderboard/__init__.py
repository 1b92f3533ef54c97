"""Entries of the leaderboard are written, and measured again at smoke size."""
