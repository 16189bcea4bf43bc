# SPDX-License-Identifier: MIT
"""Servers for the tests: one that runs somewhere, or one of our own, which
is started, watched, and ended by its process id.  With SFTD_TLS=1 in the
environment our own speak TLS, and so do the tests."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

import tls
from raw import Raw

ROOT = Path(__file__).resolve().parents[1]
ADMIN_KEY = "admin-key-of-the-tests-0123456789"
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")

# Sanitized programs on a busy machine take a while.
START_LIMIT = 30
STOP_LIMIT = 30


def program():
    return os.environ.get("SFTD", str(ROOT / "build" / "sftd"))


class Target:
    """A server to send requests to."""

    def __init__(self, url, admin_key=None, ca=None):
        parts = urlsplit(url)
        self.ca = ca  # of who speaks TLS
        self.url = url.rstrip("/")
        self.host = parts.hostname
        self.port = parts.port or 80
        self.admin_key = admin_key
        self.as_admin = {"X-API-Key": admin_key} if admin_key else {}

    def raw(self, **options):
        if self.ca is not None:
            options.setdefault("tls", tls.context(self.ca))
        return Raw((self.host, self.port), **options)

    def session(self):
        """Of requests: a connection that is kept."""
        session = requests.Session()
        session.trust_env = False  # no proxies
        session.verify = str(self.ca) if self.ca else True
        return session

    def ask(self, method, path, **options):
        """A request by way of requests, on a connection of its own."""
        options.setdefault("timeout", 60)
        with self.session() as session:
            return session.request(method, self.url + path, **options)

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def head(self, path, **options):
        return self.ask("HEAD", path, **options)

    def post(self, path, **options):
        return self.ask("POST", path, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def options(self, path, **options):
        return self.ask("OPTIONS", path, **options)

    def put(self, name, data, query="", **options):
        """PUT /upload/<name>; the name as a person writes it."""
        path = f"/upload/{quote(name)}{query}"
        return self.ask("PUT", path, data=data, **options)

    def form(self, name, data, fields=None, **options):
        """POST /upload, the file part last, as requests has it."""
        return self.post(
            options.pop("path", "/upload"),
            files={"file": (name, data)},
            data=fields or {},
            **options,
        )

    def download(self, name, **options):
        return self.get(f"/download/{quote(name)}", **options)

    def status(self, name, **options):
        """The object of /status/<name>."""
        response = self.get(f"/status/{quote(name)}", **options)
        assert response.status_code == 200, response.text
        return response.json()

    def key(self, **fields):
        """A new key of that kind, as the field that carries it."""
        response = self.post(
            "/generate_key", json=fields, headers=self.as_admin
        )
        assert response.status_code in (200, 201), response.text
        return {"X-API-Key": response.json()["api_key"]}

    def has(self, name, data):
        """Is that file there, with those bytes?"""
        response = self.download(name, headers=self.as_admin)
        assert response.status_code == 200, (name, response.text[:300])
        assert response.content == data, f"{name}: other bytes"
        return True

    def lacks(self, name):
        response = self.download(name, headers=self.as_admin)
        assert response.status_code == 404, (name, response.status_code)
        return True


class Log:
    """What a server writes to standard error, line by line as it comes."""

    def __init__(self, stream):
        self.lines = []
        self.at_end = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(
            target=self._follow, args=(stream,), daemon=True
        )
        self.thread.start()

    def _follow(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip())
                self.changed.notify_all()
        stream.close()
        with self.changed:
            self.at_end = True
            self.changed.notify_all()

    def text(self):
        with self.changed:
            return "\n".join(self.lines)

    def events(self, message=None):
        """The lines that are JSON, of that message."""
        with self.changed:
            lines = list(self.lines)
        found = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if message is None or event.get("message") == message:
                found.append(event)
        return found

    def wait(self, message, count=1, within=START_LIMIT):
        """The count-th event of that message; None when the program ended
        before it, or it does not come."""
        end = time.monotonic() + within
        while True:
            with self.changed:
                n_lines = len(self.lines)
                at_end = self.at_end
            events = self.events(message)
            if len(events) >= count:
                return events[count - 1]
            left = end - time.monotonic()
            if at_end or left <= 0:
                return None
            with self.changed:
                self.changed.wait_for(
                    lambda: len(self.lines) > n_lines or self.at_end, left
                )


def children(pid):
    """The processes whose parent is pid."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == pid and state != "Z":
            found.append(int(entry))
    return found


def is_alive(pid):
    try:
        stat = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Sftd(Target):
    """A server of our own in a directory of its own."""

    def __init__(self, place, settings=None, arguments=()):
        self.place = Path(place)
        self.storage = self.place / "storage"
        self.status_file = self.place / "transfer_status.json"
        self.settings = {
            "SERVER_HOST": "127.0.0.1",
            "SERVER_PORT": "0",
            "UPLOAD_DIR": self.storage,
            "LOG_FILE": self.status_file,
            "LOG_FORMAT": "json",
            "ADMIN_API_KEY": ADMIN_KEY,
            "MIN_FREE_SPACE": "0",
            # tests show wrong keys by the dozen, all from one address
            "AUTH_FAIL_LIMIT": "0",
            **(tls.shared().settings if os.environ.get("SFTD_TLS") else {}),
            **(settings or {}),
        }
        self.arguments = arguments
        self.process = None
        self.log = None
        self.may_restart = False  # a test lets the server child die
        self.child = None
        self.starts = 0

    def environment(self):
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.place),
        }
        for name in SANITIZERS:
            ours = f"log_path={self.place}/sanitizer:exitcode=86"
            theirs = os.environ.get(name)
            env[name] = f"{theirs}:{ours}" if theirs else ours
        # script/test jitter; a test that preloads something has its way.
        if os.environ.get("SFT_JITTER"):
            env["LD_PRELOAD"] = os.environ["SFT_JITTER"]
        for name, value in self.settings.items():
            if value is not None:
                env[name] = str(value)
        return env

    def launch(self):
        """Start the program without waiting for anything."""
        self.process = subprocess.Popen(
            [program(), *self.arguments],
            env=self.environment(),
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.log = Log(self.process.stderr)
        return self

    def start(self):
        self.launch()
        listening = self.log.wait("listening")
        if listening is None or self.log.wait("ready") is None:
            self.kill()
            raise AssertionError(f"did not start:\n{self.log.text()}")
        host = listening["host"]
        self.starts += 1
        self.child = self.server_pid()
        url_host = f"[{host}]" if ":" in host else host
        cert = self.settings.get("TLS_CERT")
        scheme = "https" if cert else "http"
        Target.__init__(
            self,
            f"{scheme}://{url_host}:{listening['port']}",
            self.settings["ADMIN_API_KEY"],
            Path(cert).with_name("ca.pem") if cert else None,
        )
        return self

    def is_supervised(self):
        value = self.settings.get("AUTO_RESTART_ENABLED", "true")
        return str(value) in ("true", "1", "yes", "on")

    def server_pid(self):
        """The process that serves: the supervisor's child, or itself."""
        if not self.is_supervised():
            return self.process.pid
        pids = children(self.process.pid)
        assert len(pids) == 1, f"children of the supervisor: {pids}"
        return pids[0]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=STOP_LIMIT):
        """Its exit status; it must end within that time."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"still runs after {within} s:\n{self.log.text()}"
            ) from None

    def kill(self):
        """kill -9, of both processes; all that it held is free after."""
        if self.process is None or self.process.poll() is not None:
            return
        pids = children(self.process.pid)
        self.process.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.log.thread.join(STOP_LIMIT)  # the last process closes it

    def stop(self):
        """A clean end, and nothing bad on the way."""
        if self.process is None or self.process.poll() is not None:
            return
        self.check()
        self.signal(signal.SIGTERM)
        status = self.wait()
        self.check_sanitizers()
        assert status == 0, f"exit status {status}:\n{self.log.text()}"

    def check(self):
        """It runs, has not died meanwhile, and no sanitizer complained."""
        self.check_sanitizers()
        status = self.process.poll()
        said = f"\n{self.log.text()}"
        assert status is None, f"ended with status {status}:{said}"
        if not self.may_restart:
            assert is_alive(self.child), f"the server died:{said}"

    def check_sanitizers(self):
        for path in self.place.glob("sanitizer*"):
            raise AssertionError(path.read_text(errors="replace")[:8000])

    def end(self):
        """What the fixtures call: stop unless a test has ended it."""
        try:
            self.stop()
        finally:
            self.kill()
            self.check_sanitizers()

    def restart(self):
        self.stop()
        return self.start()

    def files_below(self, part=""):
        """Paths of all files in its directory, relative to it."""
        top = self.storage / part
        return sorted(
            str(p.relative_to(self.storage))
            for p in top.rglob("*")
            if p.is_file()
        )
