"""Where nothing may be sent to, however it is spelt, and what an answer can't do to us."""

import ipaddress
import socket
import time

import pytest

from highstreet.webhooks import addresses
from highstreet.webhooks.sending import Post
from highstreet_tenants.errors import Invalid

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "240.0.0.1", "::1", "::",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::7f00:1",
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
        "https://①②⑦.⓪.⓪.①/", "https://" + "a" * 500 + ".com/",
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


def test_an_answer_that_drips_is_cut_off(sink):
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def drip():
            held, _who = server.accept()
            with held:
                try:
                    for _letter in range(200):
                        held.sendall(b"H")
                        time.sleep(0.05)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        sink.port = server.getsockname()[1]
        began = time.monotonic()
        answer = post(sink, whole=0.5).send(b"{}", {})
    assert answer.status is None
    assert time.monotonic() - began < 3


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
