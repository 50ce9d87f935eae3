"""The schema of house notes, revision by revision."""
