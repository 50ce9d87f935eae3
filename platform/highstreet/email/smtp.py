"""One conversation with a mail server: bounded in time, and exact about what it leaves unknown.

The standard library's client asks and waits four times for each message, and its time limits begin
anew with each byte. This one sends what may go together at once (RFC 2920) and says of each failure
whether the server can have the message.
"""

from __future__ import annotations

import base64
import socket
import ssl
from contextlib import suppress
from ipaddress import ip_address

from msgspec import Struct, field

from highstreet.email.smtp_reply import Replies, Reply, SmtpTroubleError
from highstreet.email.transports import Answer, Envelope, Fate


class Times(Struct, frozen=True):
    """Seconds: to reach the server, until its greeting, for a command, for all of a message's
    content and its answer."""

    connect: float = 10.0
    greeting: float = 30.0
    command: float = 30.0
    content: float = 120.0


class Server(Struct, frozen=True):
    """Which server, and how. tls: "start" (STARTTLS, or nothing is sent), "always" or "none".
    authorities: file of certificates to trust instead of the system's."""

    host: str
    port: int
    tls: str = "start"
    user: str = ""
    password: str = ""
    authorities: str = ""
    hello: str = "localhost"
    times: Times = field(default_factory=Times)

    @property
    def here(self) -> bool:
        """Whether it is on this very machine."""
        if self.host == "localhost":
            return True
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return False


class Connection:
    """A connection that is ready for messages. Raises SmtpTroubleError if none can be made."""

    def __init__(self, server: Server) -> None:
        self._server, self._times = server, server.times
        self._features: dict[str, str] = {}
        try:
            sock = socket.create_connection((server.host, server.port), self._times.connect)
        except OSError as error:
            raise SmtpTroubleError(_why(error)) from error
        self._replies = Replies(sock)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it go, whatever state it is in."""
        with suppress(OSError):
            self._replies.sock.close()

    def quit(self) -> None:
        """Say goodbye and let it go."""
        with suppress(SmtpTroubleError):
            self._write(b"QUIT\r\n")
        self.close()

    def alive(self) -> bool:
        """Whether the server still answers; a connection that lay idle may be gone."""
        try:
            return self._ask(b"NOOP\r\n").fine
        except SmtpTroubleError:
            return False

    def send(self, one: Envelope) -> Answer:
        """Hand one message over. Raises SmtpTroubleError only if nobody can have it."""
        most = self._features.get("SIZE", "")
        if most.isdecimal() and 0 < int(most) < len(one.data):
            return Answer("refused", None, "5.3.4 The message is larger than the server takes.")
        size = f" SIZE={len(one.data)}" if "SIZE" in self._features else ""
        commands = [
            f"MAIL FROM:<{one.sender}>{size}\r\n".encode("ascii"),
            f"RCPT TO:<{one.to}>\r\n".encode("ascii"),
            b"DATA\r\n",
        ]
        asked = self._together if "PIPELINING" in self._features else self._in_turn
        mail, rcpt, data = asked(commands)
        if data is not None and data.code == 354:
            if mail.fine and rcpt is not None and rcpt.fine:
                return self._content(one.data)
            self._ask(b".\r\n")  # it waits for a message that is for nobody
        else:
            self._ask(b"RSET\r\n")
        if not mail.fine:
            # Trouble with us, not with whom it is for: a wrong setting must not burn a mailing.
            return _answer("refused" if mail.code == 552 else "put-off", mail)
        refusing = data if rcpt is None or rcpt.fine else rcpt
        if refusing is None:
            raise SmtpTroubleError("it lost the thread")
        return _judged(refusing)

    def _together(self, commands: list[bytes]) -> tuple[Reply, Reply | None, Reply | None]:
        self._write(b"".join(commands))
        mail, rcpt, data = (self._replies.next(self._times.command) for _one in commands)
        return mail, rcpt, data

    def _in_turn(self, commands: list[bytes]) -> tuple[Reply, Reply | None, Reply | None]:
        replies: list[Reply | None] = [self._ask(commands[0]), None, None]
        mail = replies[0]
        assert mail is not None
        for number, command in enumerate(commands[1:], start=1):
            last = replies[number - 1]
            if last is None or not last.fine:
                break
            replies[number] = self._ask(command)
        return mail, replies[1], replies[2]

    def _content(self, data: bytes) -> Answer:
        if data.startswith(b"."):
            data = b"." + data
        data = data.replace(b"\r\n.", b"\r\n..")
        self._write(data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"))
        # From here on the server may have it.
        try:
            return _judged(self._replies.next(self._times.content))
        except SmtpTroubleError as trouble:
            return Answer("unknown", None, str(trouble))

    def _begin(self) -> None:
        server = self._server
        if server.tls == "always":
            self._secure()
        self._must(self._replies.next(self._times.greeting))
        self._hello()
        if server.tls == "start":
            if "STARTTLS" not in self._features:
                raise SmtpTroubleError("the server offers no encryption (STARTTLS)")
            self._must(self._ask(b"STARTTLS\r\n"))
            if not self._replies.empty:
                raise SmtpTroubleError("it spoke before the connection was secure")
            self._secure()
            self._hello()
        if server.user:
            self._sign_in()

    def _secure(self) -> None:
        context = ssl.create_default_context(cafile=self._server.authorities or None)
        sock = self._replies.sock
        sock.settimeout(self._times.greeting)
        try:
            self._replies = Replies(context.wrap_socket(sock, server_hostname=self._server.host))
        except OSError as error:
            raise SmtpTroubleError(_why(error)) from error

    def _hello(self) -> None:
        name = self._server.hello.encode("ascii")
        reply = self._ask(b"EHLO " + name + b"\r\n")
        if not reply.fine:
            self._must(self._ask(b"HELO " + name + b"\r\n"))
            self._features = {}
            return
        pairs = (line.partition(" ") for line in reply.lines[1:])
        self._features = {name.upper(): rest for name, _space, rest in pairs}

    def _sign_in(self) -> None:
        server, offered = self._server, self._features.get("AUTH", "").upper().split()
        user, password = server.user.encode(), server.password.encode()
        if "PLAIN" in offered:
            told = base64.b64encode(b"\0" + user + b"\0" + password)
            reply = self._ask(b"AUTH PLAIN " + told + b"\r\n")
        elif "LOGIN" in offered:
            reply = self._ask(b"AUTH LOGIN\r\n")
            for word in (user, password):
                if reply.code == 334:
                    reply = self._ask(base64.b64encode(word) + b"\r\n")
        else:
            raise SmtpTroubleError("the server offers no way to sign in that is known here")
        self._must(reply)

    def _ask(self, command: bytes) -> Reply:
        self._write(command)
        return self._replies.next(self._times.command)

    def _write(self, data: bytes) -> None:
        sock = self._replies.sock
        sock.settimeout(self._times.content)
        try:
            sock.sendall(data)
        except OSError as error:
            raise SmtpTroubleError(_why(error)) from error

    @staticmethod
    def _must(reply: Reply) -> None:
        if not reply.fine:
            raise SmtpTroubleError(f"the server says: {reply.code} {reply.text}")


def _judged(reply: Reply) -> Answer:
    if reply.fine:
        return _answer("taken", reply)
    return _answer("refused" if reply.code >= 500 else "put-off", reply)


def _answer(fate: Fate, reply: Reply) -> Answer:
    return Answer(fate, reply.code, reply.text)


def _why(error: OSError) -> str:
    """Why there is no connection, in words that name nobody's password."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the server's name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, ssl.SSLError):
        return "the certificate is not good for this name, or no secure connection was made"
    return f"the connection failed ({type(error).__name__})"
