"""Members' own pages: the links that open them."""
