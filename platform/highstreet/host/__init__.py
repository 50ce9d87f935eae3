"""The plugin host: finds, checks and loads tools, decides where each is on, and calls their hooks.

Submodules are imported by name (`from highstreet.host import dispatch`); nothing is loaded here.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from highstreet.host.registry import Host

__all__ = ["Host", "of"]


def of(s: Any) -> "Host":
    """The host that assembly.py hung on the session (`s.info["host"]`).

    Raises RuntimeError for a session that was opened without one.
    """
    try:
        host: Host = s.info["host"]
    except KeyError:
        raise RuntimeError("no plugin host hangs on this session: see Tenancy.on_open") from None
    return host


def __getattr__(name: str) -> Any:
    if name == "Host":
        from highstreet.host.registry import Host

        return Host
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
