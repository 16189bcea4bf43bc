# SPDX-License-Identifier: MIT
"""The servers that are measured, each started on an empty folder and ended
by its process id.  All speak HTTP on 127.0.0.1."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import proc

ROOT = Path(__file__).resolve().parents[1]
START_LIMIT = 20


def until(check, what):
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.01)
    raise RuntimeError(f"{what}: not within {START_LIMIT} s")


def end_on_signals():
    """SIGTERM and SIGHUP end this program as Ctrl-C does: orderly, so that no
    server is left behind."""

    def end(number, _):
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


class Server:
    """A subclass says how to start it, and what its requests look like."""

    def __init__(self, place):
        self.place = Path(place)
        self.process = None
        self.port = None

    def __enter__(self):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in proc.tree(self.process.pid):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def pids(self):
        return proc.tree(self.process.pid)

    def get(self, target):
        url = f"http://127.0.0.1:{self.port}{target}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=30) as answer:
            return answer.read()


class Sftd(Server):
    durability = "full"
    preload = None
    settings = {}

    health = "/health"

    def start(self):
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "SERVER_HOST": "127.0.0.1",
            "SERVER_PORT": "0",
            "UPLOAD_DIR": str(self.place / "storage"),
            "LOG_FILE": str(self.place / "transfer_status.json"),
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            "MAX_FILE_SIZE": "8G",
            "MIN_FREE_SPACE": "0",
            "DURABILITY": self.durability,
            **self.settings,
        }
        if self.preload:
            env["LD_PRELOAD"] = str(self.preload)
        log = self.place / "log"
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [os.environ.get("SFTD", ROOT / "build" / "sftd")],
                env=env,
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

        def listening():
            if self.process.poll() is not None:
                raise RuntimeError(f"sftd ended: {log.read_text()}")
            port = None
            for line in log.read_text().splitlines():
                event = json.loads(line)
                if event["message"] == "listening":
                    port = event["port"]
                if event["message"] == "ready":
                    return port
            return None

        self.port = until(listening, "sftd")

    @staticmethod
    def put(name):
        return ["--method", "PUT", "--target", f"/upload/{name}"]

    @staticmethod
    def sealed_put(name):
        target = f"/upload/{name}?encryption=true"
        return ["--method", "PUT", "--target", target]

    @staticmethod
    def form(name, query="?encryption=false"):
        target = f"/upload{query}"
        return ["--method", "POST", "--target", target, "--form-file", name]

    @classmethod
    def silent_form(cls, name):
        """As curl -F file=@NAME sends it: encryption is never mentioned."""
        return cls.form(name, "")

    @classmethod
    def sealed_form(cls, name):
        return cls.form(name, "?encryption=true")

    @staticmethod
    def chunks(name, encryption="false"):
        arguments = ["--method", "POST", "--target", "/upload_chunk"]
        return [*arguments, "--chunked", name, "--encryption", encryption]

    @classmethod
    def sealed_chunks(cls, name):
        return cls.chunks(name, "true")

    def tus(self, size, encryption="false"):
        """A new upload, and how all of it is sent to it."""
        encode = base64.b64encode
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/tus/",
            method="POST",
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Length": str(size),
                "Upload-Metadata": f"encryption "
                f"{encode(encryption.encode()).decode()}",
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            url = answer.headers["Location"]
        fields = (
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            "Content-Type: application/offset+octet-stream"
        )
        return ["--method", "PATCH", "--target", url, "--fields", fields]

    @staticmethod
    def download(name):
        return ["--target", f"/download/{name}"]


class SftdRelaxed(Sftd):
    durability = "relaxed"


class SftdNoHash(Sftd):
    """With the hash functions of libcrypto replaced by nothing: what all the
    rest costs."""

    preload = ROOT / "build" / "libbench_nohash.so"


NGINX = """
{user}
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections 8192; }}
http {{
    sendfile on;
    sendfile_max_chunk 2m;
    tcp_nopush on;
    default_type application/octet-stream;
    access_log off;
    keepalive_requests 10000000;
    keepalive_timeout 300s;
    open_file_cache max=4096 inactive=60s;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {place}/body;
    server {{
        {listen}
        root {place}/root;
        location / {{ dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


class Nginx(Server):
    """Debian's nginx, with sendfile, DAV PUT, big buffers and no log."""

    health = "/health"
    listen = "listen 127.0.0.1:{port} reuseport;"

    def start(self):
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise FileNotFoundError("nginx is not installed")
        (self.place / "root").mkdir()
        (self.place / "root" / "health").write_text('{"status": "ok"}\n')
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = self.place / "nginx.conf"
        config.write_text(
            NGINX.format(
                place=self.place,
                listen=self.listen.format(port=self.port, place=self.place),
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        with open(self.place / "log", "wb") as out:
            self.process = subprocess.Popen(
                [program, "-p", self.place, "-c", config],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

        def answers():
            if self.process.poll() is not None:
                log = (self.place / "log").read_text()
                raise RuntimeError(f"nginx ended: {log}")
            try:
                return self.get("/health")
            except OSError:
                return None

        until(answers, "nginx")

    @staticmethod
    def put(name):
        return ["--method", "PUT", "--target", f"/{name}"]

    @staticmethod
    def download(name):
        return ["--target", f"/{name}"]
