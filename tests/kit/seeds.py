"""Bad tools, one fault each: the good one with one thing changed."""

from typing import NamedTuple

from .good import PO


class Bad(NamedTuple):
    """One fault. check: the one that must find it, and no other; words: what its message says.

    file, old, new: what is changed (old "" appends; new None deletes the file). compiles: the
    catalogue is compiled anew.
    """

    check: str
    file: str
    old: str
    new: str | None
    words: str
    compiles: bool = True


FILES = (
    Bad("manifest-found", "plugin.toml", "", None, "has no plugin.toml"),
    Bad("manifest-valid", "plugin.toml", '["store"]', '["shop"]', "levels"),
    Bad("manifest-words", "plugin.toml", '"good.view" = "查看应致谢的会员"\n', "", "good.view"),
    Bad(
        "manifest-summary",
        "plugin.toml",
        '"Shows whom to thank for a large purchase."',
        '"Good."',
        "does not say what the tool does",
    ),
    Bad("manifest-loads", "__init__.py", "\nplugin = ", "\n1 / 0\nplugin = ", "ZeroDivisionError"),
    Bad("manifest-name", "__init__.py", 'name="good"', 'name="goods"', "its Plugin object goods"),
    Bad("manifest-version", "plugin.toml", "highstreet>=0.1,<1", "highstreet>=7", "highstreet>=7"),
    Bad(
        "manifest-depends",
        "plugin.toml",
        'levels = ["store"]',
        'levels = ["store"]\ndepends = ["absent>=1"]',
        "absent",
    ),
    Bad("manifest-brings", "__init__.py", "good-store.waiting", "good-store.weiting", "weiting"),
    Bad("hooks-known", "hooks.py", "def purchase_claimed", "def purchase_claim", "purchase_claim"),
    Bad("tables-prefix", "models.py", '"good_entry"', '"best_entry"', "best_entry"),
    Bad(
        "tables-keys",
        "models.py",
        'UniqueConstraint("brand_id", "purchase_id")',
        'UniqueConstraint("purchase_id")',
        "must carry brand_id",
    ),
    Bad(
        "tables-migrations",
        "__init__.py",
        '    migrations="highstreet_good.migrations",\n',
        "",
        "no migrations",
    ),
    Bad(
        "tables-personal",
        "models.py",
        '"good_entry"\n',
        '"good_entry"\n    __personal__ = False\n',
        "names customers",
    ),
    Bad(
        "tables-people",
        "hooks.py",
        "@hookimpl\ndef export_customer",
        "def _told",
        "does not answer export_customer",
    ),
    Bad(
        "manifest-capabilities",
        "plugin.toml",
        '"jobs"]',
        '"jobs", "consent.read"]',
        "“consent.read” and does not use it",
    ),
    Bad("manifest-capabilities", "hooks.py", "", "\nimport smtplib\n", "“mail.send” and does not"),
    Bad(
        "imports-sdk",
        "entries.py",
        "    entry = ctx.s.scalar(",
        "    from highstreet_tenants import clock  # noqa: F401\n    entry = ctx.s.scalar(",
        "highstreet_tenants.clock",
    ),
    Bad("imports-quiet", "entries.py", "PAGE = 100", 'PAGE = 100\nprint("hello")', "hello"),
    Bad(
        "events-sample",
        "more.py",
        '"total_minor": 12000,',
        '"total_minor": "12000",',
        "it is sent as 12000",
    ),
    Bad(
        "words-translated",
        "more.py",
        "count=len(names))",
        'count=len(names)) + _("Something new")',
        "“Something new” is not translated",
    ),
    Bad("words-places", PO, '"%(count)s 人等候"', '"有人等候"', "different places"),
    Bad("words-compiled", PO, "等候人数", "多少人等候", "not as compiled", compiles=False),
    Bad("settings-defaults", "settings.py", "        load_default=5000,\n", "", "no load_default"),
    Bad(
        "settings-labels",
        "settings.py",
        '            "label": _l("Thank for purchases of at least"),\n',
        '            "title": _l("Thank for purchases of at least"),\n',
        "has no label",
    ),
    Bad(
        "screens-names",
        "screens.py",
        "        lines=found,\n",
        "        lines=found,\n        theme=1,\n",
        "“theme”",
    ),
    Bad(
        "screens-permission",
        "screens.py",
        '@requires("good.tick")',
        '@requires("good.tock")',
        "good.tock",
    ),
    Bad(
        "screens-permission",
        "screens.py",
        '@requires("good.view")',
        '@public("whoever passes by may look at it")',
        "opens for nobody",
    ),
    Bad(
        "api-document",
        "api.py",
        "@operations.response(200, EntriesOut)\n",
        "",
        "does not say what it answers",
    ),
)

DEEDS = (
    Bad(
        "tables-migrated",
        "models.py",
        '        sa.Index(None, "brand_id", "customer_id"),\n',
        '        sa.Index(None, "brand_id", "customer_id"),\n'
        '        sa.Index(None, "brand_id", "bought_at"),\n',
        "add_index",
    ),
    Bad(
        "tables-down",
        "migrations/good_0001_entries.py",
        "    op.drop_table(NAME)\n",
        "",
        "still there after going down",
    ),
    Bad(
        "settings-garbage",
        "settings.py",
        "validate.Range(0, 10**9)",
        "lambda value: 1 / value",
        "ZeroDivisionError",
    ),
    Bad(
        "settings-trial",
        "more.py",
        "    return TrialOutcome(",
        '    with ctx.s.info["tenancy"].session(ctx.scope, write=True) as w:\n'
        "        w.execute(sa.update(Entry).values(total_minor=Entry.total_minor + 1))\n"
        "    return TrialOutcome(",
        "changed good_entry",
    ),
    Bad(
        "leak-trial",
        "more.py",
        'TrialLine(_("To be thanked")',
        "TrialLine(str(SEEN.extend(entries.waiting(ctx)) or SEEN)",
        "Trying its settings",
    ),
    Bad("hooks-day", "hooks.py", "str(len(rows)))]", "str(1 / 0))]", "customer_summary failed"),
    Bad(
        "hooks-day",
        "hooks.py",
        'aggregates.run(ctx.s, "good.waiting")',
        "ctx.s.scalars(sa.select(Entry)) and []",
        "store_owes failed: WallBreach",
    ),
    Bad(
        "hooks-odd",
        "entries.py",
        "    wanted = {\n",
        "    _first = [one.lines[0] for one in purchases]\n    wanted = {\n",
        "IndexError",
    ),
    Bad(
        "hooks-twice",
        "entries.py",
        "if one.id not in known\n",
        "if one.id not in known and not (one.id in SEEN or SEEN.append(one.id))\n",
        "undone and called again",
    ),
    Bad(
        "hooks-batch",
        "entries.py",
        "        for one in purchases\n",
        "        for one in purchases[:1]\n",
        "purchases in one batch",
    ),
    Bad(
        "hooks-budget",
        "hooks.py",
        "    rows = entries.of_customer(ctx, customer.id)\n    return [S",
        '    rows = entries.of_customer(ctx, customer.id)\n    __import__("time").sleep(0.7)\n'
        "    return [S",
        "it has 500 ms",
    ),
    Bad(
        "person-export",
        "hooks.py",
        "in entries.of_customer(ctx, customer.id)\n        ]",
        "in entries.of_customer(ctx, customer.id)[:1]\n        ]",
        "leaves out 1 of",
    ),
    Bad(
        "person-erase",
        "entries.py",
        "    for row in rows:\n        ctx.s.delete(row)",
        "    for row in rows[:1]:\n        ctx.s.delete(row)",
        "still bears somebody's id",
    ),
    Bad(
        "person-merge",
        "hooks.py",
        "    entries.merge(ctx, kept.id, gone.id)",
        "    return",
        "still point at the record that is gone",
    ),
    Bad(
        "person-unmerge",
        "hooks.py",
        "    back = entries.unmerge(ctx, kept.id, gone.id)",
        "    back = 0",
        "not with the customer",
    ),
    Bad(
        "leak-pages",
        "screens.py",
        "    return render_template(",
        "    SEEN.extend(found)\n    found = SEEN\n    return render_template(",
        "GET /store/",
    ),
    Bad(
        "leak-api",
        "api.py",
        "        return {",
        "        SEEN.extend(one._asdict() for one in entries.waiting(ctx))\n"
        '        return {"items": SEEN}\n        return {',
        "GET /api/",
    ),
    Bad(
        "leak-hooks",
        "hooks.py",
        "str(len(rows)))]",
        "str(SEEN.append(customer.name) or SEEN))]",
        "customer_summary shows",
    ),
    Bad(
        "leak-slots",
        "more.py",
        "count=len(names))",
        "count=len(names)) + str(SEEN.extend(names) or SEEN)",
        "The slot today.panel",
    ),
    Bad(
        "fields-values",
        "more.py",
        "sa.func.count(Entry.id)).group_by(Entry.customer_id)",
        "sa.func.min(Entry.bought_at)).group_by(Entry.customer_id)",
        "good.often gives datetime, and is of the kind number",
    ),
    Bad(
        "events-told",
        "entries.py",
        ', "total_minor": one.total_minor, "why"',
        ', "why"',
        "good.noted says customer_id, total_minor, why",
    ),
    Bad(
        "events-told",
        "more.py",
        "    total_minor = fields.Integer(required=True)",
        "    total_minor = fields.Integer(required=True, validate=OneOf([12000]))",
        "data that its schema does not take",
    ),
    Bad(
        "events-told",
        "entries.py",
        '"why": "bought"',
        '"why": ctx.customers.names([who])[who]',
        "good.noted tells words of",
    ),
    Bad(
        "leak-verbs",
        "more.py",
        '    return [{"entries"',
        "    SEEN.extend(entries.waiting(ctx))\n"
        '    return [{"who": list(SEEN)}]\n    return [{"entries"',
        "The verb good.count",
    ),
    Bad(
        "leak-ids",
        "screens.py",
        "    try:\n        with open_ctx(write=True)",
        '    if entry_id in entries.NOTED:\n        return Response("it is there", 200)\n'
        "    try:\n        with open_ctx(write=True)",
        "and 302 for nobody's",
    ),
    Bad(
        "off-hooks",
        "hooks.py",
        "",
        '\n\n@sa.event.listens_for(ScopedSession, "before_flush")\n'
        "def _counted(s, *_rest):\n"
        '    if any(type(one).__name__ == "Customer" for one in s.new):\n'
        "        s.execute(sa.update(Entry).values(total_minor=Entry.total_minor + 1))\n",
        "where it is off, changed good_entry",
    ),
    Bad(
        "off-switching",
        "hooks.py",
        "",
        '\n\n@sa.event.listens_for(ScopedSession, "before_flush")\n'
        "def _switched(s, *_rest):\n"
        '    if any(type(one).__name__ == "PluginChoice" for one in (*s.new, *s.dirty)):\n'
        "        s.execute(sa.delete(Entry))\n",
        "Switching it off and on changed",
    ),
    Bad(
        "screens-open",
        "entries.py",
        "    names = ctx.customers.names",
        "    _first = found[0]\n    names = ctx.customers.names",
        "IndexError",
    ),
    Bad(
        "screens-inline",
        "templates/good/waiting.html",
        '<ul class="hs-rows">',
        '<ul class="hs-rows" style="color: red">',
        "a style within an attribute",
    ),
    Bad(
        "screens-forms",
        "templates/good/waiting.html",
        "{%- else %}",
        '<form method="post" action="/"><button type="submit">{{ _("Thanked") }}</button></form>'
        "\n{%- else %}",
        "without the page's token",
    ),
    Bad(
        "screens-looking",
        "screens.py",
        "    with open_ctx() as ctx:\n        found = entries.waiting(ctx)\n",
        "    with open_ctx(write=True) as ctx:\n        found = entries.waiting(ctx)\n"
        "        for one in found:\n            entries.tick(ctx, one.id)\n",
        "changed good_entry",
    ),
    Bad(
        "screens-posting",
        "screens.py",
        "    try:\n        with open_ctx(write=True)",
        '    int(request.form.get("times", "1"))\n    try:\n        with open_ctx(write=True)',
        "ValueError",
    ),
    Bad(
        "api-garbage",
        "api.py",
        "    with open_ctx() as ctx:",
        '    int(request.args.get("page", "0"))\n    with open_ctx() as ctx:',
        "ValueError",
    ),
    Bad(
        "jobs-run",
        "more.py",
        "    for row in rows:\n",
        "    _first = rows[0]\n    for row in rows:\n",
        "The job good.tidy raised IndexError",
    ),
    Bad(
        "jobs-twice",
        "more.py",
        "        if row.thanked_at is not None:\n            s.delete(row)",
        "        row.total_minor += 1",
        "run twice",
    ),
    Bad(
        "verbs-run",
        "more.py",
        '    return [{"entries"',
        '    return ["many"]\n    return [{"entries"',
        "The verb good.count raised",
    ),
    Bad(
        "outside-network",
        "more.py",
        "    s.flush()\n",
        "    s.flush()\n    with suppress(OSError):\n"
        '        __import__("socket").create_connection(("203.0.113.9", 443))\n',
        "203.0.113.9:443",
    ),
    Bad(
        "outside-mail",
        "more.py",
        "    s.flush()\n",
        "    s.flush()\n    with suppress(OSError):\n"
        '        __import__("socket").create_connection(("203.0.113.9", 25))\n',
        "203.0.113.9:25",
    ),
)

#: What some of them use.
IMPORTS = {
    "entries.py": (
        "\nPAGE = 100",
        "\nSEEN: list[object] = []\nNOTED: set[UUID] = set()\nPAGE = 100",
    ),
    "screens.py": (
        "\nstore = screens",
        "\nfrom highstreet.sdk import public as public\nSEEN: list[object] = []\nstore = screens",
    ),
    "api.py": (
        "\noperations = ",
        "\nfrom flask import request\nSEEN: list[object] = []\noperations = ",
    ),
    "hooks.py": (
        "\n@hookimpl\ndef purchases_recorded",
        "\nimport sqlalchemy as sa\nfrom highstreet.sdk import ScopedSession\n"
        "from highstreet_good.models import Entry\nSEEN: list[object] = []\n\n"
        "@hookimpl\ndef purchases_recorded",
    ),
    "more.py": (
        "\n\ndef panel",
        "\nfrom contextlib import suppress\nfrom marshmallow.validate import OneOf\n"
        "SEEN: list[object] = []\n\ndef panel",
    ),
}
