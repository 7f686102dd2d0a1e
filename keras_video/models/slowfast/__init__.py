"""SlowFast and SlowOnly."""
