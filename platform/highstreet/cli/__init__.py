"""The command ``highstreet``: everything an operator needs.

Commands are imported when they are called: the help page costs neither Flask nor a database.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from highstreet import __version__
from highstreet.cli.lazy import LazyGroup
from highstreet_tenants.errors import HighstreetError

#: Exit codes beside 0: something differs or failed; wrong usage or input; a defect of ours.
DIFFERS, WRONG, DEFECT = 1, 2, 70

COMMANDS = {
    "demo": ("highstreet.cli.demo:demo", "Build three demo brands from real purchases."),
    "run": ("highstreet.cli.serve:run", "Serve the consoles, with a job runner inside."),
    "worker": ("highstreet.cli.serve:worker", "Run jobs in a process of their own."),
    "migrate": ("highstreet.cli.database:migrate", "Bring the database's tables up to date."),
    "check": ("highstreet.cli.database:check", "Look whether this installation is in order."),
    "audit": ("highstreet.cli.audit:audit", "Re-derive every balance and say what differs."),
    "brands": ("highstreet.cli.brands:brands", "Brands, made and changed by blueprints."),
    "stores": ("highstreet.cli.stores:stores", "Stores of a brand."),
    "campaigns": ("highstreet.cli.campaigns:campaigns", "Campaigns of head office."),
    "mailings": ("highstreet.cli.mailings:mailings", "Mailings, and where everybody went."),
    "contacts": (
        "highstreet.cli.contacts:contacts",
        "How often, when and on what basis people are contacted.",
    ),
    "segments": ("highstreet.cli.segments:segments", "Segments: customers picked by rules."),
    "plugins": ("highstreet.cli.plugins:plugins", "Tools: what is installed, and why it is on."),
    "tool": ("highstreet.cli.tool:tool", "Ask something of a tool."),
    "jobs": ("highstreet.cli.jobs:jobs", "Background jobs: list, show, retry, cancel."),
    "import": ("highstreet.cli.imports:import_", "Take in purchases, customers, a tool’s file."),
    "users": ("highstreet.cli.users:users", "People who sign in, and their roles."),
    "trail": ("highstreet.cli.trail:trail", "Who did what in a brand; sign-ins; old entries."),
    "keys": ("highstreet.cli.keys:keys", "API keys of stores."),
    "webhooks": ("highstreet.cli.webhooks:webhooks", "Webhooks, and what they were sent."),
    "mail": ("highstreet.cli.mail:mail", "E-mail: whether it leaves, what came back."),
    "export-customer": (
        "highstreet.cli.customers:export_customer",
        "Write out all that is held of one customer.",
    ),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--instance",
    type=click.Path(file_okay=False),
    help="Folder of the local files (default: ./instance).",
)
@click.option("--safe-mode", is_flag=True, help="Start without any tool.")
@click.version_option(__version__, prog_name="Highstreet")
@click.pass_context
def cli(context: click.Context, debug: bool, instance: str | None, safe_mode: bool) -> None:
    """Highstreet: marketing for franchises, self-hosted.

    Settings come from HIGHSTREET_* variables; without any, an embedded database in ./instance.
    """
    config: dict[str, object] = {}
    if instance:
        config["instance"] = instance
    if safe_mode:
        config["safe_mode"] = True
    context.obj = {"debug": debug, "config": config}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0, or one of DIFFERS, WRONG and DEFECT."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(arguments, prog_name="highstreet", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except HighstreetError as error:
        if "--debug" in arguments:
            raise
        _tell(error, as_json="--json" in arguments)
        code = WRONG if error.status < 500 or error.status == 503 else DEFECT
        if error.type == "migration-failed":
            code = DIFFERS  # a tool's defect, not ours
    except BrokenPipeError:
        code = 0  # the reader (head, less) has seen enough
    except Exception as error:
        if "--debug" in arguments:
            raise
        click.echo(
            f"Error: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}\n"
            "This is a defect, or the database is out of reach; --debug before the command "
            "shows where.",
            err=True,
        )
        code = DEFECT
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: HighstreetError, *, as_json: bool) -> None:
    if as_json:
        import json

        body = {"type": error.type, "detail": error.detail, "fields": error.fields}
        click.echo(json.dumps({"error": body}, ensure_ascii=False), err=True)
    else:
        click.echo(f"Error: {error.detail}", err=True)
        for name, messages in error.fields.items():
            if new := [one for one in messages if one not in error.detail]:
                click.echo(f"  {name}: {' '.join(new)}", err=True)
