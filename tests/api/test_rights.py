# SPDX-License-Identifier: MIT
"""What each kind of key gets, on every route and method there is."""

import pytest

import expect
import routes
from keys import made
from sftd import Sftd

ROUTES = routes.variants()
every_route = pytest.mark.parametrize("route", ROUTES, ids=str)
BOTH = pytest.mark.parametrize("required", [False, True])

WWW = 'Bearer realm="sftd"'


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """One that asks everybody for a key, and one that does not, and keys of
    all kinds for them."""
    both = {}
    for required in (False, True):
        server = Sftd(
            tmp_path_factory.mktemp(f"required-{required}"),
            {"REQUIRE_API_KEY": str(required).lower()},
        ).start()
        server.keys = {
            scope: made(server, scopes=[scope])["api_key"]
            for scope in routes.SCOPES
        }
        server.keys["read-write"] = made(server)["api_key"]
        revoked = made(server, scopes=["admin"])
        path = f"/keys/{revoked['id']}"
        assert (
            server.delete(path, headers=server.as_admin).status_code == 204
        )
        expired = made(server, scopes=["admin"], expires_in=1)
        server.bad = {
            "wrong": "sft_wrong-0123456789",
            "revoked": revoked["api_key"],
            "expired": expired["api_key"],
            "too long": "k" * 5000,
            "admin's, cut": server.admin_key[:-1],
        }
        both[required] = server
    for server in both.values():
        key = {"X-API-Key": server.bad["expired"]}
        expect.until(
            lambda s=server, k=key: s.get("/keys", headers=k).status_code
            == 401
        )
    yield both
    for server in both.values():
        server.end()


@pytest.fixture
def own(servers, required):
    yield servers[required]
    servers[required].check()


def is_refused(answer, route, status, code):
    assert answer.status_code == status, (str(route), answer)
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == WWW
    if route.method != "HEAD":
        expect.error(answer, status, code)


def may(answer, route):
    assert answer.status_code not in (401, 403), (str(route), answer)


@BOTH
@every_route
def test_without_a_key(own, required, route):
    answer = routes.ask(own, route)
    if route.need == "key" or (route.need == "open" and required):
        is_refused(answer, route, 401, "unauthorized")
    else:
        may(answer, route)


@BOTH
@every_route
def test_with_a_bad_key(own, required, route):
    for key in own.bad.values():
        for field in (("X-API-Key", key), ("Authorization", f"Bearer {key}")):
            answer = routes.ask(own, route, field)
            if route.need == "free":
                may(answer, route)
            else:
                is_refused(answer, route, 401, "invalid_api_key")


@BOTH
@every_route
def test_with_a_narrow_key(own, required, route):
    narrow = {
        "any": [],
        "read": ["write"],
        "write": ["read"],
        "admin": ["read", "write", "read-write"],
    }[route.scope]
    for kind in narrow:
        answer = routes.ask(own, route, ("X-API-Key", own.keys[kind]))
        is_refused(answer, route, 403, "forbidden")
    for kind in own.keys:
        if kind not in narrow:
            may(
                routes.ask(own, route, ("X-API-Key", own.keys[kind])), route
            )


@BOTH
@every_route
def test_two_keys_of_which_one_is_wrong(own, required, route):
    """The first field decides; there is no second try."""
    answer = routes.ask(
        own,
        route,
        ("X-API-Key", "wrong"),
        ("Authorization", f"Bearer {own.admin_key}"),
    )
    if route.need == "free":
        may(answer, route)
    else:
        is_refused(answer, route, 401, "invalid_api_key")


def encoded(path):
    """Each letter of the path as %XX."""
    return "".join(f"%{ord(c):02x}" if c.isalpha() else c for c in path)


@BOTH
@every_route
def test_another_spelling_of_the_path_is_the_same_route(own, required, route):
    target, question, query = route.target().partition("?")
    method = route.method
    with own.raw() as raw:
        answer = raw.ask(
            method,
            encoded(target) + question + query,
            *route.fields,
            ("X-API-Key", "wrong"),
            body=route.body,
        )
    if route.need != "free":
        is_refused(answer, route, 401, "invalid_api_key")


OVERRIDES = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "head")


@pytest.mark.parametrize("required", [True])
@pytest.mark.parametrize("method", OVERRIDES)
@pytest.mark.parametrize(
    "route", [r for r in ROUTES if r.need != "free"], ids=str
)
def test_no_other_name_of_a_method_opens_a_door(own, required, route, method):
    """What a field says instead of the request line."""
    fields = [
        (name, method)
        for name in (
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X-Method-Override",
        )
    ]
    with own.raw() as raw:
        target = route.target()
        target += ("&" if "?" in target else "?") + f"_method={method}"
        answer = raw.ask(
            route.method, target, *routes.TUS, *fields, body=route.body
        )
    # a Socket.IO handshake is open, and an unknown combination is none
    if route.need == "later" or answer.status_code in (404, 405):
        assert answer.status_code in (200, 400, 404, 405)
    else:
        assert answer.status_code == 401, answer


def test_a_post_is_another_method_for_tus_only(servers):
    own = servers[True]
    own.put("kept", b"x", headers=own.as_admin)
    for method in ("DELETE", "PUT", "PATCH"):
        for path in ("/files/kept", "/upload/kept", "/status/kept"):
            response = own.post(
                path,
                headers={**own.as_admin, "X-HTTP-Method-Override": method},
            )
            expect.error(response, 405, "method_not_allowed")
    assert own.has("kept", b"x")


def test_the_health_of_it_needs_no_key(servers):
    for own in servers.values():
        for key in own.bad.values():
            response = own.get("/health", headers={"X-API-Key": key})
            assert response.status_code == 200
