"""Named permissions, the scopes of API keys, and which role holds what.

A permission says what may be done; the place says where (see `places.may`). Tools add their own
through a `Catalogue` that is filled once, at start.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from highstreet_tenants.words import gettext

NodeKind = Literal["brand", "region", "owner", "store"]


def N_(message: str) -> str:  # noqa: N802 - the name that message extractors know
    """Mark an English message for the catalogues; it is translated when shown."""
    return message


class Role(Struct, frozen=True):
    """A bundle of permissions that is granted at one kind of node, or several.

    `includes` names the roles whose permissions this one holds too, so that whoever may appoint
    people holds all that the appointed will hold.
    """

    name: str
    title: str
    summary: str
    nodes: tuple[NodeKind, ...]
    includes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The title in the reader's language."""
        return gettext(self.title)

    @property
    def consequence(self) -> str:
        """What holding the role means, in the reader's language."""
        return gettext(self.summary)


#: From the least to the most; a form offers them in this order.
ROLES: Mapping[str, Role] = {
    role.name: role
    for role in (
        Role(
            "till_staff",
            N_("Till staff"),
            N_("Uses the till: finds and enrols customers, gives points, redeems rewards."),
            ("store",),
        ),
        Role(
            "store_manager",
            N_("Store manager"),
            N_("Runs the store: customers, tools, settings, people and keys."),
            ("store",),
            ("till_staff",),
        ),
        Role(
            "store_owner",
            N_("Store owner"),
            N_("Owns the store, or all stores of one owner: everything in them."),
            ("store", "owner"),
            ("store_manager",),
        ),
        Role(
            "regional_manager",
            N_("Regional manager"),
            N_("Looks after the stores of one region."),
            ("region",),
            ("store_manager",),
        ),
        Role(
            "head_office_marketing",
            N_("Head-office marketing"),
            N_("Sees stores, policy and results of the whole brand."),
            ("brand",),
        ),
        Role(
            "head_office_manager",
            N_("Head-office manager"),
            N_("Runs the brand: stores, policy, approvals, people."),
            ("brand",),
            ("head_office_marketing", "regional_manager", "store_owner"),
        ),
    )
}


def included_in(role: str) -> set[str]:
    """The role and all that it includes; nothing for a role that does not exist."""
    found: set[str] = set()
    if role in ROLES:
        found = {role}.union(*(included_in(name) for name in ROLES[role].includes))
    return found


class Permission(Struct, frozen=True):
    """What may be done. `roles` hold it by default (and every role that includes one of them).

    `personal` permissions reach people's records: where stores own their customers, head office
    and regions do not hold them in a store, whatever their role says. `at_till`: who holds it
    keeps it when they unlocked a till by their PIN; a PIN opens nothing else.
    """

    name: str
    title: str
    roles: tuple[str, ...]
    personal: bool = False
    at_till: bool = False

    @property
    def label(self) -> str:
        """The title in the reader's language."""
        return gettext(self.title)


_STAFF = ("till_staff",)
_MANAGER = ("store_manager",)
_OFFICE = ("head_office_marketing",)
_HEAD = ("head_office_manager",)

CORE: tuple[Permission, ...] = (
    # In a store
    Permission("today.view", N_("See the store's day"), _STAFF, personal=True),
    Permission("till.use", N_("Use the till"), _STAFF, personal=True, at_till=True),
    Permission("customers.read", N_("Find and see customers"), _STAFF, personal=True),
    Permission("customers.write", N_("Enrol and change customers"), _STAFF, personal=True),
    Permission("customers.merge", N_("Merge duplicate customers"), _MANAGER, personal=True),
    Permission("customers.export", N_("Export what is kept of a customer"), _MANAGER, True),
    Permission("customers.erase", N_("Erase a customer"), _MANAGER, personal=True),
    Permission(
        "segments.read", N_("See segments and who is in them"), (*_MANAGER, *_OFFICE), personal=True
    ),
    Permission("segments.manage", N_("Make and change segments"), _MANAGER, personal=True),
    Permission("mailings.read", N_("See mailings"), (*_MANAGER, *_OFFICE), personal=True),
    Permission("mailings.manage", N_("Plan mailings"), (*_MANAGER, *_OFFICE), personal=True),
    Permission("mailings.approve", N_("Approve and release mailings"), _MANAGER, personal=True),
    Permission("tools.view", N_("See the tools and their state"), (*_MANAGER, *_OFFICE)),
    Permission("tools.choose", N_("Switch tools on and off"), _MANAGER),
    Permission("settings.edit", N_("Change settings"), _MANAGER),
    Permission("results.view", N_("See results"), (*_MANAGER, *_OFFICE)),
    Permission("store.results", N_("See the store’s own results"), _MANAGER, personal=True),
    Permission("people.view", N_("See who has a role"), (*_MANAGER, *_OFFICE)),
    Permission("people.manage", N_("Invite people, grant and revoke roles"), _MANAGER),
    Permission("keys.manage", N_("Create and revoke API keys"), _MANAGER),
    Permission("webhooks.manage", N_("Set up webhooks"), _MANAGER, personal=True),
    Permission("tills.manage", N_("Set up tills and sign them out"), _MANAGER, personal=True),
    Permission("trail.view", N_("See who did what"), _MANAGER),
    Permission("jobs.view", N_("See the jobs and their errors"), _MANAGER),
    Permission("campaigns.answer", N_("Answer head office’s campaigns"), _MANAGER),
    Permission("print.own", N_("Fill in and print head office’s designs"), _MANAGER),
    Permission("imports.run", N_("Import purchases and customers"), _MANAGER, personal=True),
    # In head office
    Permission("office.view", N_("See the head-office console"), _OFFICE),
    Permission("brand.edit", N_("Change the brand"), _HEAD),
    Permission("security.edit", N_("Say who needs a second factor"), _HEAD),
    Permission("stores.view", N_("See all stores"), _OFFICE),
    Permission("stores.edit", N_("Open, change and close stores"), _HEAD),
    Permission("policy.view", N_("See the policy"), _OFFICE),
    Permission("policy.edit", N_("Set the policy"), _HEAD),
    Permission("email.view", N_("See e-mail: sender, frame, what became of it"), _OFFICE),
    Permission("email.edit", N_("Set the e-mail sender and frame"), _HEAD),
    Permission("webhooks.office", N_("Set up head office’s webhooks"), _HEAD),
    Permission("segments.office", N_("Write head office’s segments"), _OFFICE),
    Permission("campaigns.view", N_("See all campaigns"), _OFFICE),
    Permission("campaigns.draft", N_("Draft campaigns and change drafts"), _OFFICE),
    Permission("campaigns.approve", N_("Approve campaigns"), _HEAD),
    Permission("campaigns.launch", N_("Launch and stop approved campaigns"), _OFFICE),
    Permission("print.view", N_("See print designs"), _OFFICE),
    Permission("print.draft", N_("Draft print designs and change drafts"), _OFFICE),
    Permission("print.approve", N_("Approve print designs"), _HEAD),
    Permission("approvals.decide", N_("Approve and refuse what stores ask for"), _HEAD),
)


class KeyScope(Struct, frozen=True):
    """What an API key may do; its maker must hold `permission` in the store."""

    name: str
    title: str
    permission: str

    @property
    def label(self) -> str:
        """The title in the reader's language."""
        return gettext(self.title)


CORE_SCOPES: tuple[KeyScope, ...] = (
    KeyScope("till.read", N_("Look up balances, rewards and purchases"), "till.use"),
    KeyScope("till.write", N_("Record purchases and returns, redeem rewards"), "till.use"),
    KeyScope("customers.read", N_("Find customers"), "customers.read"),
    KeyScope("customers.write", N_("Enrol and change customers"), "customers.write"),
    KeyScope("segments.read", N_("See segments and who is in them"), "segments.read"),
    KeyScope("segments.manage", N_("Make and change segments"), "segments.manage"),
    KeyScope("mailings.read", N_("See mailings"), "mailings.read"),
    KeyScope("mailings.manage", N_("Plan mailings"), "mailings.manage"),
    KeyScope("mailings.approve", N_("Approve and release mailings"), "mailings.approve"),
    KeyScope(
        "webhooks.manage", N_("Set up webhooks, and see what they were sent"), "webhooks.manage"
    ),
)


class Catalogue:
    """All permissions and key scopes of this installation: the core's and the tools'."""

    def __init__(
        self, permissions: Sequence[Permission] = (), scopes: Iterable[KeyScope] = ()
    ) -> None:
        """The core's entries, then the tools' `permissions` and `scopes`.

        Each permission of a tool may be given to a key as well. Raises ValueError as `add` does.
        """
        self.permissions: dict[str, Permission] = {}
        self.scopes: dict[str, KeyScope] = {}
        self._held: dict[str, frozenset[str]] = {}
        for permission in (*CORE, *permissions):
            self.add(permission)
        own = [KeyScope(p.name, p.title, p.name) for p in permissions]
        for scope in (*CORE_SCOPES, *own, *scopes):
            self.add_scope(scope)

    @property
    def at_till(self) -> frozenset[str]:
        """Names of the permissions that a PIN leaves its holder: the till, and nothing else."""
        return frozenset(name for name, one in self.permissions.items() if one.at_till)

    def add(self, permission: Permission) -> None:
        """Add one. Raises ValueError for a name that is taken or a role that does not exist."""
        if permission.name in self.permissions:
            raise ValueError(f"permission {permission.name!r} is declared twice")
        unknown = [role for role in permission.roles if role not in ROLES]
        if unknown:
            raise ValueError(f"permission {permission.name!r} names unknown roles {unknown}")
        self.permissions[permission.name] = permission
        self._held.clear()

    def add_scope(self, scope: KeyScope) -> None:
        """Add one. Raises ValueError for a taken name or a permission that does not exist."""
        if scope.name in self.scopes:
            raise ValueError(f"key scope {scope.name!r} is declared twice")
        if scope.permission not in self.permissions:
            raise ValueError(f"key scope {scope.name!r} needs unknown {scope.permission!r}")
        self.scopes[scope.name] = scope

    def held_by(self, role: str) -> frozenset[str]:
        """Names of the permissions a role holds; none for a role that does not exist.

        A head-office manager holds all, so that there is somebody who may grant each.
        """
        if role not in ROLES:
            return frozenset()
        if role not in self._held:
            members = included_in(role)
            self._held[role] = frozenset(
                name
                for name, permission in self.permissions.items()
                if role == "head_office_manager" or members & set(permission.roles)
            )
        return self._held[role]
