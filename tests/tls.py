# SPDX-License-Identifier: MIT
"""Certificates for the tests: an authority of their own, made with the
openssl command, and what it signs."""

import select
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
RSA = ("-newkey", "rsa:2048")
HERE = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")
CONFIG = """
[ca]
default_ca = ours
[ours]
database = {place}/index
new_certs_dir = {place}
certificate = {place}/ca.pem
private_key = {place}/ca-key.pem
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


def openssl(*arguments):
    done = subprocess.run(
        ("openssl", *map(str, arguments)), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


class Pair:
    """A certificate and its key, as the settings want them."""

    def __init__(self, place, name):
        self.cert = place / f"{name}.pem"
        self.key = place / f"{name}-key.pem"
        self.ca = place / "ca.pem"

    @property
    def settings(self):
        return {"TLS_CERT": self.cert, "TLS_KEY": self.key}

    def put(self, other):
        """Take the place of another pair, as a tool does that renews."""
        for ours, theirs in ((self.cert, other.cert), (self.key, other.key)):
            fresh = theirs.with_suffix(".new")
            fresh.write_bytes(ours.read_bytes())
            fresh.rename(theirs)

    def copy(self, place):
        """The same pair elsewhere, to be changed."""
        place.mkdir(exist_ok=True)
        copy = Pair(place, "server")
        for ours, theirs in (
            (self.cert, copy.cert),
            (self.key, copy.key),
            (self.ca, copy.ca),
        ):
            theirs.write_bytes(ours.read_bytes())
        return copy

    def serial(self):
        return ssl._ssl._test_decode_cert(str(self.cert))["serialNumber"]


class Authority:
    def __init__(self, place):
        self.place = Path(place)
        self.ca = self.place / "ca.pem"
        (self.place / "index").write_text("")
        self.config = self.place / "config"
        self.config.write_text(CONFIG.format(place=self.place))
        openssl(
            *("req", "-x509", *EC, "-nodes", "-days", "2"),
            *("-subj", "/CN=tests", "-keyout", self.place / "ca-key.pem"),
            *("-out", self.ca),
        )

    def issue(self, name="server", names=HERE, key=EC, dates=None):
        """A certificate for those names; dates are (from, to), as
        20250101000000Z."""
        pair = Pair(self.place, name)
        request = self.place / f"{name}.csr"
        openssl(
            *("req", "-new", *key, "-nodes", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=" + ",".join(names)),
            *("-keyout", pair.key, "-out", request),
        )
        when = ("-days", "2")
        if dates is not None:
            when = ("-startdate", dates[0], "-enddate", dates[1])
        openssl(
            *("ca", "-batch", "-notext", "-config", self.config, *when),
            *("-in", request, "-out", pair.cert),
        )
        return pair


_shared = None


def shared():
    """One pair for all servers of this process that need not have their
    own."""
    global _shared
    if _shared is None:
        place = tempfile.TemporaryDirectory(prefix="sftd-tls-")
        _shared = place, Authority(place.name).issue()
    return _shared[1]


def context(ca, version=None):
    """A client's, that trusts that authority only."""
    made = ssl.create_default_context(cafile=str(ca))
    if version is not None:
        made.minimum_version = made.maximum_version = version
    return made


def take_turns(monkeypatch):
    """Lets no two threads into one TLS connection at once.  Clients that read
    in one thread and write in another do that, which libssl does not bear:
    now and then Python's ssl takes a connection that stands for a closed one,
    with any server."""
    receive, send = ssl.SSLSocket.recv, ssl.SSLSocket.send
    making = threading.Lock()

    def turn(connection):
        with making:
            return vars(connection).setdefault("turn", threading.Lock())

    def recv(self, *arguments):
        while True:
            with turn(self):
                timeout = self.gettimeout()
                self.settimeout(0)
                try:
                    return receive(self, *arguments)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.settimeout(timeout)
            if not select.select([self], [], [], timeout)[0]:
                raise TimeoutError("timed out")

    def send_in_turn(self, *arguments):
        with turn(self):
            return send(self, *arguments)

    monkeypatch.setattr(ssl.SSLSocket, "recv", recv)
    monkeypatch.setattr(ssl.SSLSocket, "send", send_in_turn)
