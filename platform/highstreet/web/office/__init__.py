"""Pages of a head-office console."""
