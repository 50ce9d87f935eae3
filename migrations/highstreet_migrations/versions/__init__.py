"""The core's schema, revision by revision."""
