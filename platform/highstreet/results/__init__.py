"""Results: what a store's day and a brand's weeks came to."""
