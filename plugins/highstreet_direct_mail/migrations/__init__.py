"""The points club's schema, revision by revision."""
