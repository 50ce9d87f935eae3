"""Everything that Highstreet asks of a tool, part by part. Importing this declares all checks."""

from importlib import import_module

PARTS = (
    "manifest",
    "imports",
    "words",
    "tables",
    "settings",
    "hooks",
    "people",
    "leaks",
    "fields",
    "events",
    "off",
    "screens",
    "api",
    "work",
    "outside",
)
"""In the order in which they are asked: what is nearer to the cause comes first."""

for part in PARTS:
    import_module(f"{__name__}.{part}")
