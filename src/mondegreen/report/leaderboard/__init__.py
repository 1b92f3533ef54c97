"""The leaderboard: entries, what was measured of them, which of it can be relied on, ranks."""
