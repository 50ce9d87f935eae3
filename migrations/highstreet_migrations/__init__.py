"""Core schema history and the runner that keeps one history per owner."""
