# SPDX-License-Identifier: MIT
"""The cases over TLS.  curl is the client of both servers, and decrypts on
the same machine, so what counts is their ratio."""

import ssl
import subprocess
import urllib.request

from common import GIB, MIB, Case, Failed, Row, ratio
from servers import Nginx, Sftd


class WithTls:
    """Before a Server: gives it a certificate, and asks it by TLS."""

    def start(self):
        self.cert = self.place / "cert.pem"
        self.key = self.place / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
            + ["-days", "2", "-subj", "/CN=bench"]
            + ["-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", self.key, "-out", self.cert],
            check=True,
            capture_output=True,
        )
        self.settings = {"TLS_CERT": str(self.cert), "TLS_KEY": str(self.key)}
        super().start()

    def get(self, target):
        url = f"https://127.0.0.1:{self.port}{target}"
        context = ssl.create_default_context(cafile=self.cert)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
        )
        with opener.open(url, timeout=30) as answer:
            return answer.read()

    def curl(self, target, *arguments):
        """GB/s of one request."""
        done = subprocess.run(
            ["curl", "-q", "-sS", "--fail", "--noproxy", "*", "-m", "110"]
            + ["--cacert", self.cert, "-o", "/dev/null"]
            + ["-w", "%{stderr}%{time_total} %{size_upload} %{size_download}"]
            + [*arguments, f"https://127.0.0.1:{self.port}{target}"],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise Failed(f"curl: {done.stderr}")
        seconds, up, down = map(float, done.stderr.split())
        return max(up, down) / seconds / 1e9

    def send(self, size):
        file = self.place / "data"
        with open(file, "wb") as out:
            out.truncate(size)
        return self.curl(self.put("served")[-1], "-T", file)


class SftdTls(WithTls, Sftd):
    pass


class NginxTls(WithTls, Nginx):
    listen = """
        listen 127.0.0.1:{port} reuseport ssl;
        ssl_certificate {place}/cert.pem;
        ssl_certificate_key {place}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
    """


def upload(server, scale):
    """GB/s of one PUT of one GiB."""
    server.send(32 * MIB // scale)
    return server.send(GIB // scale), {}


def download(server, scale):
    """GB/s of a file of one GiB."""
    server.send(GIB // scale)
    target = server.download("served")[-1]
    server.curl(target)
    return server.curl(target), {}


CASES = [
    Case(
        f"tls-{name}-1g",
        "GB/s",
        [Row("sftd", SftdTls, run), Row("nginx", NginxTls, run)],
    )
    for name, run in (("upload", upload), ("download", download))
]


def targets(case, m):
    # nginx does not hash what it takes
    goal = 0.75 if case == "tls-upload-1g" else 0.9
    return [ratio("sftd / nginx", m["sftd"] / m["nginx"], goal)]
