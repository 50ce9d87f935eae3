"""Blueprints: a whole brand written down in TOML, checked, compared with what is there, applied."""
