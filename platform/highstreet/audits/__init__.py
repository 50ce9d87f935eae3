"""The operator's audit: everything that is kept beside its source is derived from it again."""
