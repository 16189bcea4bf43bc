# SPDX-License-Identifier: MIT
"""The routes of the server, from tests/vectors/routes.txt, and requests for
each of them."""

from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).parent / "vectors" / "routes.txt"
SCOPES = ("read", "write", "admin")
TUS = (("Tus-Resumable", "1.0.0"),)


class Route(NamedTuple):
    method: str
    path: str  # with <name>, <image> or <id> at its end
    need: str  # free, open, later, key
    scope: str  # any, read, write, admin
    override: str = ""  # a POST that says it is something else

    def __str__(self):
        said = f" as {self.override}" if self.override else ""
        return f"{self.method}{said} {self.path}"

    def target(self, name="none", image="none.jpg", word="0" * 32):
        path = self.path.replace("<name>", name).replace("<image>", image)
        path = path.replace("<id>", word)
        if path == "/socket.io/":
            path += "?EIO=4&transport=polling"
        elif path == "/download_batch" and self.method != "POST":
            path += f"?files={name}"
        return path

    @property
    def fields(self):
        """What it takes to get past the route's own first look."""
        fields = TUS if self.path.startswith("/tus") else ()
        if self.override:
            fields += (("X-HTTP-Method-Override", self.override),)
        return fields

    @property
    def body(self):
        """A body for the methods that have one; its content is of no use."""
        return b"" if self.method in ("POST", "PUT", "PATCH") else None


def listed():
    """The routes as the table has them."""
    routes = []
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            routes.append(Route(*line.split()))
    return routes


def variants():
    """Also HEAD for GET, and what tus lets a POST be."""
    routes = []
    for r in listed():
        routes.append(r)
        if r.method == "GET":
            routes.append(r._replace(method="HEAD"))
        elif r.path == "/tus/<id>" and r.method != "OPTIONS":
            routes.append(r._replace(method="POST", override=r.method))
    return routes


def ask(server, route, *fields, **names):
    """The head of the answer, and the body where it is an error."""
    method = route.method
    with server.raw() as raw:
        raw.request(
            method,
            route.target(**names),
            *route.fields,
            *fields,
            body=route.body,
        )
        answer = raw.response_head()
        while answer.status_code == 100:
            answer = raw.response_head()
        if answer.status_code >= 400:
            raw.body(answer, method)
    return answer
