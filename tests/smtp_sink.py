"""A mail server on this machine that takes what it is sent, or is as difficult as it is told to."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Got:
    """A message that was taken."""

    sender: str
    to: list[str]
    data: bytes
    connection: int


@dataclass
class Sink:
    """`answer(stage, argument)` gives a reply to a command ("greeting", "MAIL", "RCPT", "DATA",
    "content", …), None for the usual one, "drop" to cut the connection, "stall" to say nothing."""

    answer: Callable[[str, str], str | None] = lambda _stage, _argument: None
    features: tuple[str, ...] = ("PIPELINING", "SIZE 1000000", "8BITMIME")
    got: list[Got] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def start(self) -> "Sink":
        """Listen; gives itself."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def stop(self) -> None:
        """Take nothing more."""
        self._ended.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def url(self) -> str:
        """As the setting has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def _listen(self) -> None:
        while True:
            try:
                sock, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, suppress(OSError, _Dropped), sock.makefile("rb") as lines:
            self._say(sock, "greeting", "", "220 sink ESMTP")
            sender, to = "", []
            while line := lines.readline():
                text = line.decode("ascii").rstrip("\r\n")
                verb, _space, rest = text.partition(" ")
                self.commands.append(text)
                if verb == "EHLO":
                    told = ["sink", *self.features]
                    usual = "\r\n".join(
                        f"250{' ' if one is told[-1] else '-'}{one}" for one in told
                    )
                    self._say(sock, verb, rest, usual)
                elif verb == "MAIL":
                    sender, to = rest[rest.index("<") + 1 : rest.index(">")], []
                    self._say(sock, verb, rest, "250 2.1.0 fine")
                elif verb == "RCPT":
                    one = rest[rest.index("<") + 1 : rest.index(">")]
                    if self._say(sock, verb, one, "250 2.1.5 fine").startswith("250"):
                        to.append(one)
                elif verb == "DATA":
                    usual = "354 go on" if to else "503 5.5.1 nobody to send it to"
                    if self._say(sock, verb, "", usual).startswith("354"):
                        self._content(sock, lines, sender, to, number)
                elif verb == "QUIT":
                    self._say(sock, verb, "", "221 bye")
                    return
                else:
                    self._say(sock, verb, rest, "250 2.0.0 fine")

    def _content(self, sock, lines, sender: str, to: list[str], number: int) -> None:
        data = []
        while (line := lines.readline()) not in (b".\r\n", b""):
            if self.answer("line", "") == "drop":
                raise _Dropped
            data.append(line[1:] if line.startswith(b".") else line)
        if line == b"":
            raise _Dropped
        whole = b"".join(data)
        if self._say(sock, "content", ",".join(to), "250 2.0.0 taken").startswith("250"):
            self.got.append(Got(sender, to, whole, number))

    def _say(self, sock: socket.socket, stage: str, argument: str, usual: str) -> str:
        said = self.answer(stage, argument) or usual
        if said == "drop":
            raise _Dropped
        if said == "stall":
            self._ended.wait(30)
            raise _Dropped
        sock.sendall(f"{said}\r\n".encode())
        return said


class _Dropped(Exception):
    pass
