"""The ground floor: who owns what, and the walls around rows."""
