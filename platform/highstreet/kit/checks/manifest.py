"""What the tool says of itself, and whether the host takes it in."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping

from highstreet.host.manifest import Manifest
from highstreet.host.registry import Quarantine
from highstreet.i18n import DEFAULT, LANGUAGES
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.subject import Subject
from highstreet.sdk.context import rooms

#: Modules whose import means that a tool does something of its own → the capability.
MODULES: Mapping[str, str] = {
    **dict.fromkeys(
        ("socket", "http", "urllib.request", "requests", "httpx", "aiohttp", "ftplib"), "network"
    ),
    **dict.fromkeys(("smtplib", "flask_mail", "aiosmtplib"), "mail.send"),
    **dict.fromkeys(("typst", "weasyprint", "reportlab", "fpdf", "cups"), "print"),
}

#: Why the host set a tool aside → the check that says so.
REASONS: Mapping[str, str] = {
    "manifest": "manifest-valid",
    "version": "manifest-version",
    "duplicate-entry-point": "manifest-name",
    "duplicate-name": "manifest-name",
    "name-mismatch": "manifest-name",
    "missing-dependency": "manifest-depends",
    "cycle": "manifest-depends",
    "import-error": "manifest-loads",
    "no-plugin": "manifest-loads",
    "tables": "tables-keys",
    "contribution": "manifest-brings",
    "hooks": "hooks-known",
}
#: What a message says → another check, nearer to what is wrong.
WORDS: tuple[tuple[str, str], ...] = (
    (r"must be called \w+_…", "tables-prefix"),
    (r"bears the name of the tool", "tables-prefix"),
    (r"load_default|settings", "settings-defaults"),
    (r"no migrations|no such migrations", "tables-migrations"),
)


def set_aside_by(quarantined: Quarantine) -> str:
    """The check that says why a tool is in quarantine."""
    found = REASONS.get(quarantined.reason, "manifest-loads")
    if quarantined.reason in ("tables", "contribution"):
        for words, other in WORDS:
            if re.search(words, str(quarantined.detail)):
                return other
    return found


@check("manifest-found", needs="files")
def found(subject: Subject) -> Iterator[Finding]:
    """The tool is installed: one entry point bears its name, and plugin.toml is in its package."""
    if not subject.points:
        yield Finding(
            f"No entry point of the group highstreet.plugins is called {subject.name}.",
            'In pyproject.toml: [project.entry-points."highstreet.plugins"] and'
            f' {subject.name} = "the_package"; then `pip install -e .` again.',
        )
    elif isinstance(subject.toml, str):
        yield Finding(
            subject.toml,
            "plugin.toml lies in the package, and is named among the package's data (package-data"
            " in pyproject.toml), or no installation has it.",
            subject.package,
        )


@check("manifest-valid", needs="files")
def valid(subject: Subject) -> Iterator[Finding]:
    """plugin.toml holds what the host understands, and nothing else."""
    if not isinstance(subject.toml, str) and isinstance(subject.manifest, str):
        key = re.search(r"wrong: (\w+)", subject.manifest)
        yield Finding(
            subject.manifest,
            "docs/plugins.md lists the keys of plugin.toml and what each may hold.",
            (subject.at(key[1]) if key else "") or str(subject.toml),
        )


@check("manifest-words", needs="files")
def words(subject: Subject) -> Iterator[Finding]:
    """Title, summary and permissions are said in every language that Highstreet speaks."""
    manifest = subject.manifest
    if not isinstance(manifest, Manifest):
        return
    for locale in LANGUAGES:
        if locale == DEFAULT:
            continue
        said = manifest.words.get(locale)
        if said is None:
            yield Finding(
                f"plugin.toml has no words in {LANGUAGES[locale]} ({locale}).",
                f"Add [words.{locale}] with title and summary.",
                str(subject.toml),
            )
            continue
        for permission in sorted(manifest.permissions.keys() - said.permissions.keys()):
            yield Finding(
                f"The title of the permission {permission} is not said in {LANGUAGES[locale]}.",
                f'Add [words.{locale}.permissions] with "{permission}" = "…".',
                subject.at(permission),
            )


@check("manifest-summary", needs="files")
def summary(subject: Subject) -> Iterator[Finding]:
    """A reader is told what the tool does: a summary that says more than the title, a docstring."""
    manifest = subject.manifest
    if not isinstance(manifest, Manifest):
        return
    if len(manifest.summary.split()) < 4 or manifest.summary.rstrip(".") == manifest.title:
        yield Finding(
            f"The summary “{manifest.summary}” does not say what the tool does.",
            "Write one sentence that tells a store's owner what they get if they switch it on.",
            subject.at("summary"),
        )
    init = subject.folder / "__init__.py" if subject.folder else None
    if init in subject.trees and not ast.get_docstring(subject.trees[init]):
        yield Finding(
            "The package has no docstring.",
            "Begin __init__.py with one line that says what the tool does.",
            f"{init}:1",
        )


@check("manifest-loads", needs="files")
def loads(subject: Subject) -> Iterator[Finding]:
    """The package can be imported and holds a Plugin called `plugin`."""
    yield from set_aside(subject, "manifest-loads", "Import the package by itself to see it fail.")


@check("manifest-name", needs="files")
def name(subject: Subject) -> Iterator[Finding]:
    """Entry point, plugin.toml and the Plugin object bear one name, and nobody else does."""
    mend = "Write the same name in pyproject.toml, plugin.toml and Plugin(name=…)."
    yield from set_aside(subject, "manifest-name", mend, "name")


@check("manifest-version", needs="files")
def version(subject: Subject) -> Iterator[Finding]:
    """`requires` takes in this version of Highstreet."""
    mend = "Widen `requires`, if the tool works with this version: this run of the kit tells you."
    yield from set_aside(subject, "manifest-version", mend, "requires")


@check("manifest-depends", needs="files")
def depends(subject: Subject) -> Iterator[Finding]:
    """The tools that it needs are there, and do not need it in turn."""
    mend = "Install what `depends` names, or take it out of the list."
    yield from set_aside(subject, "manifest-depends", mend, "depends")


@check("manifest-brings", needs="files")
def brings(subject: Subject) -> Iterator[Finding]:
    """Screens, operations, navigation, jobs, slots and verbs are such as the host can take in."""
    mend = "The sentence names what does not fit; docs/plugins.md shows the Plugin object."
    yield from set_aside(subject, "manifest-brings", mend)


@check("hooks-known", needs="files")
def hooks_known(subject: Subject) -> Iterator[Finding]:
    """Every @hookimpl answers a hook that there is, with arguments that it has."""
    mend = "docs/reference/hooks.md lists the hooks with their arguments."
    yield from set_aside(subject, "hooks-known", mend)


@check("tables-prefix", needs="files")
def tables_prefix(subject: Subject) -> Iterator[Finding]:
    """The names of its tables begin with the tool's name."""
    mend = f'__tablename__ = "{subject.name}_…", in models and migrations.'
    yield from set_aside(subject, "tables-prefix", mend, "__tablename__", ".py")


@check("tables-keys", needs="files")
def tables_keys(subject: Subject) -> Iterator[Finding]:
    """Its tables are keyed (brand_id, id); what is unique, indexed or points elsewhere carries the
    brand.
    """
    mend = "Build on sdk.StoreOwned or sdk.BrandOwned, and make foreign keys by sdk.brand_fk."
    yield from set_aside(subject, "tables-keys", mend, "__constraints__", ".py")


def set_aside(
    subject: Subject, mine: str, mend: str, word: str = "", suffix: str = ".toml"
) -> Iterator[Finding]:
    """The reason why the host set it aside, if that is for this check to say."""
    said = subject.quarantined
    if said is None or set_aside_by(said) != mine or mine in ("manifest-found", "manifest-valid"):
        return
    # The table, setting or hook that the message names is the best place there is.
    named = re.findall(rf"\b{subject.name}_\w+", str(said.detail))
    where = next((at for one in named if (at := subject.at(f'"{one}"', ".py"))), "")
    yield Finding(str(said.detail), mend, where or (subject.at(word, suffix) if word else ""))


@check("manifest-capabilities", needs="tool")
def capabilities(bench: Bench) -> Iterator[Finding]:
    """The capabilities declared are those used: no more, no less."""
    subject, declared = bench.subject, bench.tool.manifest.capabilities
    used: dict[str, str] = {}
    if bench.tool.plugin.jobs or bench.tool.plugin.periodic:
        used["jobs"] = subject.at("JobHandler", ".py")
    offers = _offers()
    for path, node in subject.nodes():
        for capability in _capabilities_of(node, offers):
            used.setdefault(capability, f"{path}:{getattr(node, 'lineno', 1)}")
    for capability in sorted(used.keys() - declared):
        yield Finding(
            f"It uses “{capability}” and does not declare it: `ctx` refuses, or nobody was told.",
            f'Add "{capability}" to capabilities in plugin.toml, or do without.',
            used[capability],
        )
    for capability in sorted(declared - used.keys()):
        yield Finding(
            f"It declares “{capability}” and does not use it: a store is asked to trust it for"
            " nothing.",
            f'Take "{capability}" out of capabilities in plugin.toml.',
            subject.at("capabilities"),
        )


def _capabilities_of(node: ast.AST, offers: Mapping[tuple[str, str], str]) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        said = offers.get((node.value.attr, node.attr))
        if said:
            yield said
    elif isinstance(node, ast.Import):
        for one in node.names:
            yield from _of_module(one.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from _of_module(node.module)
        if node.module == "highstreet.sdk" and any(one.name == "bought" for one in node.names):
            yield "purchases.read"


def _of_module(name: str) -> Iterator[str]:
    for module, capability in MODULES.items():
        if name == module or name.startswith(f"{module}."):
            yield capability


def _offers() -> dict[tuple[str, str], str]:
    """(room, method) of `ctx` → the capability that it needs, read from the sdk itself."""
    found = {}
    for room, kind in rooms().items():
        for method, function in vars(kind).items():
            if inspect.isfunction(function):
                need = re.search(r'\.need\("([a-z.]+)"\)', _source(kind, method))
                if need:
                    found[room, method] = need[1]
    return found


def _source(kind: type, method: str) -> str:
    """A method's source, and behind it that of the room's own that it calls."""
    text = inspect.getsource(vars(kind)[method])
    helpers = [name for name in re.findall(r"self\.(_\w+)\(", text) if name in vars(kind)]
    return text + "".join(_source(kind, name) for name in helpers if name != method)
