"""Stores: taken in by the hundred from a file, closed, and opened again."""
