"""Files of purchases and customers from elsewhere, read in a stream and written in sets."""
