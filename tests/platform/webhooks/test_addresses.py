"""Where nothing may be sent to, however it is spelt, and what an answer can't do to us."""

import ipaddress
import socket
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from highstreet.webhooks import addresses, delivering
from highstreet.webhooks.delivering import Letter, Round
from highstreet.webhooks.sending import Answer, Post
from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "240.0.0.1", "::1", "::",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::7f00:1",
    "192.0.0.192", "192.0.0.8", "192.88.99.1", "3fff::1", "2001:db8::1", "2001:2::1", "5f00::1",
    "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a00:1", "fd20:ce::254", "100.100.100.200",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_public_whatever_wraps_it(address):
    assert not addresses.is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Invalid):
        addresses.read(f"https://{host}/")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are(address):
    assert addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
        "https://127.1/", "https://localhost/", "https://LOCALHOST./", "https://intranet/",
        "https://printer.local/", "https://metadata.google.internal/", "http://example.com/",
        "ftp://example.com/", "https://user:pw@example.com/", "https://example.com/#x",
        "https://example.com:22/", "https://example.com:99999/", "https://", "example.com",
        "https://exa mple.com/", "https://example.com/\r\nX: y", "https://[::1/", "javascript:1",
        "https://①②⑦.⓪.⓪.①/", "https://" + "a" * 500 + ".com/", "https://example.com:0/",
        "https://example.com:80/", "https://@example.com/", "https://:@example.com/",
        "https://evil.com\\.example.com/", "https://evil.com\\@example.com/", "https://a..com/",
        "https://exa'mple.com/", "https://example.com\tx/", "https://[fe80::1%25eth0]/",
        "https://[2606:4700::1%25eth0]/", "https://exam%70le.com/", "https:example.com/",
        "https:///example.com", "//example.com/", "HTTP://EXAMPLE.COM/", "https://.com/",
    ],
)  # fmt: skip
def test_what_is_no_public_https_address_is_refused_with_the_field(url):
    with pytest.raises(Invalid) as refused:
        addresses.read(url)
    assert set(refused.value.fields) == {"url"}


def test_a_name_keeps_its_port_path_and_query():
    found = addresses.read("https://Example.COM:8443/a/b?c=d")
    assert (found.host, found.port, found.path) == ("example.com", 8443, "/a/b?c=d")
    assert found.host_header == "example.com:8443"
    assert addresses.read("https://bücher.example").host == "xn--bcher-kva.example"


def resolver(monkeypatch, *answers):
    """Let names have these addresses, one list for each time somebody asks; gives who asked."""
    asked = []

    def look(host, port, *_args, **_named):
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port),
            )
            for one in found
        ]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look)
    return asked


@pytest.mark.parametrize("inside", INSIDE)
def test_a_name_one_of_whose_addresses_is_inside_is_refused(monkeypatch, inside):
    resolver(monkeypatch, ["8.8.8.8", inside])
    answer = Post(addresses.read("https://rebind.example/")).send(b"{}", {})
    assert answer.status is None
    assert "not a public address" in answer.text


def test_a_name_that_changes_its_mind_is_not_asked_twice(monkeypatch, sink):
    """The connection goes to what was looked at: had the name been resolved again, it would have
    gone to the machine's own port."""
    tried = []

    def connect(address, *_args, **_named):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    asked = resolver(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    Post(addresses.read(f"https://rebind.example:{sink.port}/")).send(b"{}", {})
    assert asked == ["rebind.example"]
    assert tried == [("93.184.216.34", sink.port)]


def post(sink, **options):
    return Post(addresses.read(sink.url, local=True), local=True, **options)


def test_proxies_of_the_environment_are_ignored(monkeypatch, sink):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(sink).send(b"{}", {}).taken


def test_a_redirect_is_a_failure_and_not_followed(sink):
    sink.reply = lambda _got: (302, {"Location": sink.url}, b"")
    answer = post(sink).send(b"{}", {})
    assert (answer.status, answer.taken) == (302, False)
    assert len(sink.got) == 1


def test_an_endless_answer_is_cut(sink):
    sink.reply = lambda _got: (200, {}, b"x" * 5_000_000)
    one = post(sink)
    for _time in range(2):  # and the next message finds a connection that works
        answer = one.send(b"{}", {})
        assert (answer.status, len(answer.text)) == (200, 300)


#: What a receiver may say for ever: the first line, headers, "go on", a body, trailers, a greeting
#: of TLS that is announced as longer than it ever gets.
DRIPS = {
    "status": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "greeting": (b"\x16\x03\x03\x40\x00", b"\x02"),
    "silence": (b"", b""),
}


@contextmanager
def dripping(first, then):
    """A receiver that says the one and then the other, over and over; gives its port."""
    over = threading.Event()

    def drip(held):
        with held, suppress(OSError):
            held.sendall(first)
            while not over.wait(0.05):
                held.sendall(then)

    def serve(server):
        with suppress(OSError):
            while True:
                held, _who = server.accept()
                threading.Thread(target=drip, args=(held,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        over.set()


@pytest.mark.parametrize("kind", DRIPS)
def test_whatever_a_receiver_says_without_end_is_cut_off(kind):
    scheme = "https" if kind == "greeting" else "http"
    with dripping(*DRIPS[kind]) as port:
        target = addresses.read(f"{scheme}://127.0.0.1:{port}/", local=True)
        one = Post(target, local=True, whole=0.5)
        began = time.monotonic()
        answer = one.send(b"{}", {})
        assert (answer.status, answer.text) == (None, "No answer in time.")
        assert time.monotonic() - began < 2
        one.close()


def test_a_name_whose_servers_keep_us_waiting_does_not_hold_a_worker(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_a, **_n: over.wait(30) and [])
    began = time.monotonic()
    answer = Post(addresses.read("https://slow.example/"), resolve=0.2).send(b"{}", {})
    over.set()
    assert (answer.status, answer.text) == (None, "No answer in time.")
    assert time.monotonic() - began < 2


def test_time_that_looking_up_took_is_not_given_again(monkeypatch, sink):
    """The clock of the whole message runs from its beginning: what is over is not begun."""

    def look(host, port, *_args, **_named):
        time.sleep(0.3)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", look)
    assert post(sink, whole=0.2).send(b"{}", {}).text == "No answer in time."
    assert sink.got == []


def test_a_slow_receiver_makes_room_for_others():
    taken = Answer(200, "", 4_000)
    at = clock.now()
    letter = Letter(uuid4(), uuid4(), "{}", 0, None)
    target = addresses.read("https://example.com/")
    slow = Round(target, [], [letter], [(letter, taken, at)] * 2)
    rest = delivering._pause(slow) - clock.now()
    assert timedelta(seconds=15) < rest <= timedelta(seconds=16)
    quick = Round(target, [], [letter], [(letter, Answer(200, "", 110), at)] * 50)
    assert delivering._pause(quick) is None


@pytest.mark.parametrize("name", ["X-Evil", "Set-Cookie", "Location"])
def test_what_a_receiver_says_in_headers_is_not_kept(sink, name):
    sink.reply = lambda _got: (200, {name: "secret-word"}, b"fine")
    assert post(sink).send(b"{}", {}).text == "fine"


def test_letters_that_turn_a_line_round_or_move_about_are_not_kept(sink):
    sink.reply = lambda _got: (500, {}, "a\u202eb\x1b[2Jc\x00d\r\ne".encode())
    assert post(sink).send(b"{}", {}).text == "a b [2Jc d  e"


def test_without_the_setting_this_machine_is_out_of_reach(sink):
    with pytest.raises(Invalid):
        addresses.read(sink.url)
    answer = Post(addresses.read(sink.url, local=True)).send(b"{}", {})
    assert answer.status is None
    assert sink.got == []


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120), ("0", 0), ("-5", None), ("soon", None), ("9" * 40, 86400)]
)
def test_retry_after(sink, header, seconds):
    sink.reply = lambda _got: (503, {"Retry-After": header}, b"")
    wait = post(sink).send(b"{}", {}).wait
    assert (wait.total_seconds() if wait is not None else None) == seconds
