"""Pages of a store's console."""
