"""Direct mail: post to chosen customers, with a code on each piece that tells what came of it.

The mailing underneath is the core's; posting, answers, returns and triggers are this tool's verbs;
hooks, till, screens and api are what others see of it.
"""

from highstreet.sdk import NavEntry, Plugin
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail import (
    api,
    faces,
    fields,
    history,
    hooks,
    models,
    order_screens,
    paper_screens,
    scan_screens,
    screens,
    till,
    verbs,
    work,
)
from highstreet_direct_mail.settings import MailSchema

plugin = Plugin(
    name="direct_mail",
    hooks=hooks.Hooks(),
    settings=MailSchema,
    migrations="highstreet_direct_mail.migrations",
    screens=(faces.store, faces.office),
    api=(api.blueprint,),
    jobs=work.JOBS,
    periodic=work.PERIODIC,
    nav=(
        NavEntry(
            _l("Direct mail"), "direct_mail-store.overview", "direct_mail.read", "mail", "store"
        ),
        NavEntry(
            _l("Mail codes"), "direct_mail-store.codes", "direct_mail.redeem", "gift", "store"
        ),
        NavEntry(
            _l("Direct mail"), "direct_mail-office.overview", "direct_mail.office", "mail", "office"
        ),
    ),
    slots={"till.member": till.member},
    verbs=verbs.VERBS,
    fields=fields.FIELDS,
    imports=(history.HISTORY,),
    actions={
        "direct_mail.addresses_taken": _l("Addresses of a mail job taken as a file"),
        "direct_mail.order_on": _l("Standing order for mail switched on"),
        "direct_mail.order_off": _l("Standing order for mail switched off"),
    },
    translations="translations",
)

__all__ = ["models", "order_screens", "paper_screens", "plugin", "scan_screens", "screens"]
