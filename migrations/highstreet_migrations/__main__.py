"""`python -m highstreet_migrations OWNER NAME`: draft the next revision of an owner's schema.

OWNER is "core" or a plugin's name. The draft takes an empty database that is at the owner's head to
what the models say now. Read it before you commit it; autogeneration is a hint.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path


from highstreet_migrations import runner
from highstreet_migrations.histories import History

IMPORTS = {
    "core": "\nfrom highstreet_tenants import base\n",
    "tool": "\nfrom highstreet import sdk\n",
}
HEADER = '''"""{name}."""

import sqlalchemy as sa
from alembic import op
{imports}

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None


'''


def main(owner: str, name: str) -> Path:
    """Write the revision; gives its file."""
    from highstreet.app import create_app, house_of

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/draft.db"
        house = house_of(create_app({"database_url": url, "instance": folder}, faces=False))
        history = next(h for h in house.histories if h.name == owner)
        script = runner.script_of(history)
        head = script.get_current_head()
        runner.upgrade(url, [h for h in house.histories if script_has_revisions(h)])
        engine = runner.owner_engine(url)
        with engine.begin() as connection:
            body = runner.draft(connection, history, house.histories)
        engine.dispose()
        house.engine.dispose()
    number = 1 + sum(1 for _ in script.walk_revisions())
    slug = name.lower().replace(" ", "_")
    revision = f"{owner}_{number:04}"
    spec = importlib.util.find_spec(history.package)
    assert spec is not None and spec.submodule_search_locations
    path = Path(next(iter(spec.submodule_search_locations))) / f"{revision}_{slug}.py"
    imports = IMPORTS["core" if owner == "core" else "tool"] if "UTCDateTime" in body else ""
    header = HEADER.format(name=name, revision=revision, down=head, imports=imports)
    path.write_text(header + body, encoding="utf-8")
    return path


def script_has_revisions(history: History) -> bool:
    """Whether there is anything to run yet."""
    return runner.script_of(history).get_current_head() is not None


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    print(main(sys.argv[1], sys.argv[2]))
