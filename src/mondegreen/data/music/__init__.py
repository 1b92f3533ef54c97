"""Music made by arithmetic: tones, drums, harmony, lines, ten idioms, and the mix."""
