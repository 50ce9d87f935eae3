"""One POST to a receiver: bounded in time and size, to the address that was looked at.

urllib3 reads no proxy settings of the environment, follows no redirect and tries nothing again
unless told to; the name on the certificate is checked though the connection goes to a number.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic

import urllib3
from msgspec import Struct
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

import highstreet
from highstreet.i18n import gettext as _
from highstreet.webhooks import addresses
from highstreet.webhooks.addresses import Target
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid

#: Seconds: to reach the receiver, between two bytes of its answer, and for all of it.
CONNECT, READ, WHOLE = 5.0, 10.0, 15.0
#: Seconds that looking up a name may take, and between two tries to cut a connection.
RESOLVE, CUT_EVERY = 5.0, 0.2
#: Bytes of an answer that are read, and characters that are kept.
MOST_ANSWER, EXCERPT = 4096, 300
#: Addresses of one name that are tried.
MOST_ADDRESSES = 3
#: No receiver may put us off for longer.
LONGEST_WAIT = timedelta(hours=24)
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"Highstreet/{highstreet.__version__} (webhooks)",
    "Accept-Encoding": "identity",
}


class Answer(Struct, frozen=True):
    """What came of a try. status: None where nobody answered. text: the first of what was said, or
    why nothing was. wait: how long the receiver asks us to."""

    status: int | None
    text: str
    took_ms: int
    wait: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing more, ever."""
        return self.status == 410


class Post:
    """Sends to one receiver, over a connection that is kept between messages."""

    def __init__(
        self,
        target: Target,
        *,
        local: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        whole: float = WHOLE,
        resolve: float = RESOLVE,
    ) -> None:
        self._target, self._local, self._ssl = target, local, ssl_context
        self._whole, self._resolve = whole, resolve
        self._pool: _Pool | None = None

    def close(self) -> None:
        """Let the connection go; the next message makes a new one, to an address looked at anew."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def send(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once. Never raises for what a receiver or the network does."""
        began = monotonic()
        try:
            status, text, wait = self._send(body, headers, began)
        except Invalid as error:
            status, text, wait = None, error.detail, None
            self.close()
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            status, text, wait = None, _why(error, monotonic() - began >= self._whole), None
            self.close()
        took = round((monotonic() - began) * 1000)
        return Answer(status, text[:EXCERPT], took, wait)

    def _send(
        self, body: bytes, headers: Mapping[str, str], began: float
    ) -> tuple[int, str, timedelta | None]:
        """Over the kept connection, or to the first address that lets itself be reached."""
        if self._pool is not None:
            return self._ask(self._pool, body, headers, began)
        failure: Exception = OSError("the name has no address")
        found = addresses.resolve(self._target, local=self._local, within=self._resolve)
        for address in found[:MOST_ADDRESSES]:
            pool = self._pool_to(address)
            try:
                answer = self._ask(pool, body, headers, began)
            except (NewConnectionError, ConnectTimeoutError) as error:
                failure = error
                pool.close()
                continue
            self._pool = pool
            return answer
        raise failure

    def _ask(
        self, pool: _Pool, body: bytes, headers: Mapping[str, str], began: float
    ) -> tuple[int, str, timedelta | None]:
        left = self._whole - (monotonic() - began)
        if left <= 0:
            raise TimeoutError
        # The time limits of sockets begin anew with each byte; whoever sends one every nine seconds
        # would hold us for ever.
        watch = _Watch(left, pool.cut)
        watch.daemon = True
        watch.start()
        try:
            response = pool.request(
                "POST",
                self._target.path,
                body=body,
                headers={**_HEADERS, "Host": self._target.host_header, **headers},
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=CONNECT, read=READ),
            )
            said = response.read(MOST_ANSWER + 1)
            if len(said) > MOST_ANSWER:
                response.close()  # a connection that is not read to its end can't be used again
            else:
                response.release_conn()
        finally:
            watch.cancel()
        if monotonic() - began >= self._whole:
            raise TimeoutError
        return response.status, _excerpt(said), _wait(response.headers.get("Retry-After"))

    def _pool_to(self, address: str) -> _Pool:
        target = self._target
        if target.scheme == "http":
            return _Plain(address, target.port, maxsize=1)
        return _Secured(
            address,
            target.port,
            maxsize=1,
            server_hostname=target.host,
            assert_hostname=target.host,
            ssl_context=self._ssl,
            cert_reqs="CERT_REQUIRED",
        )


class _Watch(threading.Timer):
    """Calls again and again once the time is over: the first call may come a moment too early,
    before there is a connection to be cut."""

    def run(self) -> None:
        """Wait, then cut until somebody says that it is done."""
        self.finished.wait(self.interval)
        while not self.finished.is_set():
            self.function()
            self.finished.wait(CUT_EVERY)


class _Held:
    """A connection of which a second handle is at hand. While TLS shakes hands the first one is
    empty, and a receiver that never comes to an end with that could not be cut off."""

    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's has it
        self.handle = made.dup()
        return made

    def close(self) -> None:
        """Let both go."""
        if self.handle is not None:
            self.handle.close()
            self.handle = None
        super().close()  # type: ignore[misc]


class _HeldPlain(_Held, HTTPConnection):
    """Without encryption."""


class _HeldSecured(_Held, HTTPSConnection):
    """With it."""


class _Cuttable:
    """A pool of one connection that can be cut while somebody waits for it."""

    _held: _Held | None = None

    def _get_conn(self, timeout: float | None = None) -> _Held:
        self._held = super()._get_conn(timeout)  # type: ignore[misc]  # urllib3's pool has it
        return self._held

    def cut(self) -> None:
        """End whatever is waited for."""
        handle = self._held.handle if self._held is not None else None
        if handle is not None:
            with suppress(OSError):  # it ended by itself
                handle.shutdown(socket.SHUT_RDWR)


class _Plain(_Cuttable, urllib3.HTTPConnectionPool):  # type: ignore[misc]  # one of its own kind
    """Without encryption."""

    ConnectionCls = _HeldPlain


class _Secured(_Cuttable, urllib3.HTTPSConnectionPool):  # type: ignore[misc]
    """With it."""

    ConnectionCls = _HeldSecured


_Pool = _Plain | _Secured


def _excerpt(said: bytes) -> str:
    text = said[: EXCERPT * 4].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()[:EXCERPT]


def _why(error: Exception, late: bool) -> str:
    """Why nobody answered, in words that name no address of ours."""
    if late or isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError)):
        return _("No answer in time.")
    if isinstance(error, socket.gaierror):
        return _("The name is not known.")
    if isinstance(error, (ssl.SSLError, urllib3.exceptions.SSLError)):
        return _("The certificate is not good for this name, or no secure connection was made.")
    if isinstance(error, NewConnectionError):
        return _("Nobody listens there.")
    return _("The connection failed (%(what)s).", what=type(error).__name__)


def _wait(header: str | None) -> timedelta | None:
    """Retry-After (RFC 9110 10.2.3): seconds, or a date."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:9]), 10**8)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now(), timedelta(0)), LONGEST_WAIT)
