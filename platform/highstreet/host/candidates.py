"""Which installed packages may be imported as tools, judged by their manifests alone."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Literal

from msgspec import Struct
from packaging.requirements import Requirement

from highstreet.host import manifest as manifests
from highstreet.host.installed import Unreadable
from highstreet.host.manifest import PRODUCT, BadManifestError, Manifest
from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l

#: What an entry point's value must be, up to its ":".
_PACKAGE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class Candidate(Struct, frozen=True):
    """An entry point with, once read, its manifest. distribution: the package that installed it."""

    name: str
    package: str
    distribution: str
    manifest_or_none: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest. Raises ValueError where it could not be read."""
        if self.manifest_or_none is None:
            raise ValueError(f"the manifest of {self.name} is unknown")
        return self.manifest_or_none

    @property
    def called(self) -> str:
        """What the manifest calls it; until that is read, what the entry point does."""
        return self.manifest_or_none.name if self.manifest_or_none else self.name

    @property
    def ours(self) -> bool:
        """Whether it came with Highstreet itself."""
        return self.distribution.split(" ")[0] == PRODUCT


#: Why a tool may not load; docs/plugins.md says what to put right.
Reason = Literal[
    "entry-point",
    "manifest",
    "version",
    "duplicate-entry-point",
    "duplicate-name",
    "name-mismatch",
    "missing-dependency",
    "cycle",
    "import-error",
    "no-plugin",
    "tables",
    "contribution",
    "hooks",
    "safe-mode",
    "unready",
]


class Refused(Exception):
    """A tool may not load. reason: a stable slug; detail: what to put right."""

    def __init__(self, candidate: Candidate, reason: Reason, detail: LazyText) -> None:
        super().__init__(f"{candidate.name}: {detail}")
        self.candidate = candidate
        self.reason = reason
        self.detail = detail


def quarantine_name(candidate: Candidate, taken: set[str]) -> str:
    """The name to keep a refused tool under: its own, unless another bears it."""
    if candidate.name not in taken:
        return candidate.name
    where = candidate.distribution or candidate.package
    name, number = f"{candidate.name} ({where})", 2
    while name in taken:
        name, number = f"{candidate.name} ({where}, {number})", number + 1
    return name


def gather(
    entry_points: Iterable[EntryPoint | Unreadable], version: str
) -> tuple[list[Candidate], list[Refused]]:
    """(those that may be imported, in the order they depend; those refused).

    version: of Highstreet. Of several tools with one name, the one that came with Highstreet
    stays; if none did, all are refused, for which of them was meant is not ours to guess.
    """
    points, refused = [], []
    for one in entry_points:
        if isinstance(one, Unreadable):
            refused.append(_unreadable(one))
        else:
            points.append(one)
    found = {(point.name, point.value, _distribution(point)) for point in points}
    unique = [Candidate(name, value.split(":")[0].strip(), dist) for name, value, dist in found]
    single = _alone(
        sorted(unique, key=lambda c: (c.name, c.distribution, c.package)),
        "duplicate-entry-point",
        refused,
    )
    read: list[Candidate] = []
    for point in single:
        if not _PACKAGE.fullmatch(point.package):
            refused.append(Refused(point, "entry-point", _no_package(point)))
            continue
        try:
            manifest = manifests.read(manifests.find(point.package))
        except BadManifestError as error:
            refused.append(Refused(point, "manifest", error.detail))
            continue
        read.append(Candidate(point.name, point.package, point.distribution, manifest))
    fitting = []
    for candidate in _alone(read, "duplicate-name", refused):
        try:
            _check_head(candidate, version)
        except Refused as refusal:
            refused.append(refusal)
        else:
            fitting.append(candidate)
    return _in_order(fitting, refused), refused


def _unreadable(broken: Unreadable) -> Refused:
    return Refused(
        Candidate(broken.name, "", broken.name),
        "entry-point",
        _l(
            "The metadata of this installed package can't be read (%(why)s). Install it anew or"
            " uninstall it.",
            why=broken.why,
        ),
    )


def _no_package(point: Candidate) -> LazyText:
    return _l(
        "Its entry point must name a package, as in %(name)s = highstreet_%(name)s, and says"
        " “%(value)s”.",
        name=point.name,
        value=point.package,
    )


def _distribution(point: EntryPoint) -> str:
    try:
        if point.dist is None:
            return ""
        said = point.dist.metadata  # each look at it reads and parses the whole file
        return f"{said['Name']} {said['Version']}"
    except Exception:  # its metadata is broken; the tool may work all the same
        return ""


def _alone(
    candidates: Iterable[Candidate], reason: Reason, refused: list[Refused]
) -> list[Candidate]:
    """Those whose name nobody else bears, or that came with Highstreet."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.called, []).append(candidate)
    alone = []
    for group in groups.values():
        ours = [c for c in group if c.ours]
        stays = group if len(group) == 1 else (ours if len(ours) == 1 else [])
        alone += stays
        refused += [Refused(c, reason, _double(c, group)) for c in group if c not in stays]
    return alone


def _double(candidate: Candidate, group: list[Candidate]) -> LazyText:
    return _l(
        "Several installed packages are called %(name)s: %(packages)s. Uninstall all but one.",
        name=candidate.called,
        packages=", ".join(
            f"{c.package} ({c.distribution})" if c.distribution else c.package for c in group
        ),
    )


def _check_head(candidate: Candidate, version: str) -> None:
    """Name and version, from the manifest. Raises Refused."""
    manifest = candidate.manifest
    if manifest.name != candidate.name:
        raise Refused(
            candidate,
            "name-mismatch",
            _l(
                "Its entry point calls it %(one)s, its manifest %(other)s.",
                one=candidate.name,
                other=manifest.name,
            ),
        )
    if not manifest.requires.specifier.contains(version, prereleases=True):
        raise Refused(
            candidate,
            "version",
            _l(
                "It needs %(needs)s, and this is Highstreet %(version)s. Install a version of it"
                " that fits.",
                needs=str(manifest.requires),
                version=version,
            ),
        )


def _in_order(candidates: list[Candidate], refused: list[Refused]) -> list[Candidate]:
    """Those without a cycle, each after what it depends on, otherwise by name."""
    waiting = {c.name: c for c in candidates}
    for name in list(waiting):
        if name in (ring := _reachable(name, candidates)):
            refused.append(
                Refused(
                    waiting.pop(name),
                    "cycle",
                    _l(
                        "It needs itself by way of %(others)s, so none can be first.",
                        others=", ".join(sorted(ring - {name})) or name,
                    ),
                )
            )
    ordered: list[Candidate] = []
    while waiting:
        for name in sorted(waiting):
            if not any(need.name in waiting for need in waiting[name].manifest.depends):
                ordered.append(waiting.pop(name))
                break
    return ordered


def _reachable(name: str, candidates: Iterable[Candidate]) -> set[str]:
    """Names of what a candidate depends on, directly or through others."""
    depends = {c.name: {need.name for need in c.manifest.depends} for c in candidates}
    found: set[str] = set()
    front = {name}
    while front:
        front = {need for one in front for need in depends.get(one, ())} - found
        found |= front
    return found


def needs(candidate: Candidate, loaded: Mapping[str, Manifest]) -> None:
    """Raise Refused if a tool that the candidate depends on isn't loaded, or in another version."""
    for need in candidate.manifest.depends:
        there = loaded.get(need.name)
        if there is None:
            raise Refused(
                candidate,
                "missing-dependency",
                _l(
                    "It needs the tool %(name)s, which is not installed or did not load.",
                    name=need.name,
                ),
            )
        if not _fits(need, there.version):
            raise Refused(
                candidate,
                "missing-dependency",
                _l(
                    "It needs %(needs)s, and version %(version)s is installed.",
                    needs=str(need),
                    version=there.version,
                ),
            )


def _fits(need: Requirement, version: str) -> bool:
    return need.specifier.contains(version, prereleases=True)
