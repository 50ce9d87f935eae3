"""Three demo brands: blueprints, and a year of real purchases replayed through their tools."""
