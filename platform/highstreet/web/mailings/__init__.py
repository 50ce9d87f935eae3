"""Pages of mailings, in a store's console and in head office's."""
