"""What this installation has, whether it works, and what makes it slow."""
