"""One command on several processes and machines: who is who, what they share, how they start."""
