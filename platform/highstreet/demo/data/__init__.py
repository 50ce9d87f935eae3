"""A small extract of real purchases; see ATTRIBUTION.md."""
