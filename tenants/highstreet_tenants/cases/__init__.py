"""Blueprints of the three demo brands, after the cases that Highstreet must serve."""
