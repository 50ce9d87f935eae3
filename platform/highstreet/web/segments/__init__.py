"""Pages of segments, in a store's console and in head office's."""
