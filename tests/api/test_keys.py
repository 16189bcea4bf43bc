# SPDX-License-Identifier: MIT
"""Keys: what needs one, what each scope opens, how they come and go."""

import json
import stat

import pytest

import expect
from sftd import ADMIN_KEY, Sftd

DATA = b"behind a door"
WRONG = "wrong-key-0123456789abcdef"

# method, path, and the scope that it takes when a key is required
SCOPES = [
    ("GET", "/status", "read"),
    ("GET", "/status/known", "read"),
    ("GET", "/download/known", "read"),
    ("HEAD", "/download/known", "read"),
    ("POST", "/upload", "write"),
    ("PUT", "/upload/known", "write"),
    ("POST", "/generate_key", "admin"),
    ("GET", "/keys", "admin"),
    ("DELETE", "/keys/none", "admin"),
]
ALWAYS = [row for row in SCOPES if row[2] == "admin"]


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def field(key):
    return {"X-API-Key": key}


def new_key(own, **options):
    response = own.post("/generate_key", json=options, headers=own.as_admin)
    assert response.status_code == 200, response.text
    return expect.is_json(response)


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A server whose every route needs a key."""
    settings = {"REQUIRE_API_KEY": "true"}
    server = Sftd(tmp_path_factory.mktemp("locked"), settings).start()
    server.put("known", DATA, headers=server.as_admin)
    server.keys = {
        scope: new_key(server, scopes=[scope])["api_key"]
        for scope in ("read", "write", "admin")
    }
    yield server
    server.end()


@pytest.fixture
def own(locked):
    yield locked
    locked.check()


def unauthorized(response, method="GET"):
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"]
    if method != "HEAD":
        expect.error(response, 401)


@pytest.mark.parametrize("method,path,scope", SCOPES)
def test_without_a_key(own, method, path, scope):
    unauthorized(own.ask(method, path), method)


@pytest.mark.parametrize("method,path,scope", SCOPES[:3])
def test_what_is_no_key(own, method, path, scope):
    for headers in (
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Authorization": ADMIN_KEY},
        {"Authorization": "Bearer"},
        {"X-API-Key": ""},
    ):
        unauthorized(own.ask(method, path, headers=headers), method)


def test_a_wrong_key(own):
    unauthorized(own.get("/status", headers=field(WRONG)))
    unauthorized(own.get("/status", headers=bearer(WRONG)))
    unauthorized(own.get("/status", headers=field(ADMIN_KEY[:-1])))
    unauthorized(own.get("/status", headers=field(ADMIN_KEY + "0")))
    unauthorized(own.get("/status", headers=field(ADMIN_KEY.upper())))


@pytest.mark.parametrize("as_header", [bearer, field])
@pytest.mark.parametrize("has", ["read", "write", "admin"])
@pytest.mark.parametrize("method,path,needs", SCOPES)
def test_scopes(own, method, path, needs, has, as_header):
    response = own.ask(method, path, headers=as_header(own.keys[has]))
    if has in (needs, "admin"):
        assert response.status_code not in (401, 403), response.text
    else:
        assert response.status_code == 403
        if method != "HEAD":
            expect.error(response, 403)


def test_the_scheme_is_written_in_any_case(own):
    headers = {"Authorization": f"bearer {own.keys['read']}"}
    assert own.get("/status", headers=headers).status_code == 200


def test_the_doors_of_health_stay_open(own):
    assert own.get("/health").status_code == 200
    assert own.get("/health", headers=field(WRONG)).status_code == 200


@pytest.mark.parametrize("method,path,scope", ALWAYS)
def test_admin_routes_need_a_key_always(server, method, path, scope):
    unauthorized(server.ask(method, path), method)


def test_a_key_that_is_given_is_checked_needed_or_not(start, name):
    own = start()
    unauthorized(own.get("/status", headers=field(WRONG)))
    unauthorized(own.put(name, DATA, headers=bearer(WRONG)))
    assert own.lacks(name)
    assert own.get("/status", headers=own.as_admin).status_code == 200
    assert own.get("/health", headers=field(WRONG)).status_code == 200


def test_a_body_is_not_read_before_the_key(own):
    with own.raw() as raw:
        raw.request(
            "PUT",
            "/upload/x",
            ("Content-Length", 1 << 20),
            ("Expect", "100-continue"),
        )
        response = raw.response("PUT")
        assert response.interim == []
        unauthorized(response)


def test_a_new_key_and_its_fields(server, admin):
    answer = new_key(server, name="for tests", scopes=["read"])
    assert set(answer) >= {
        "api_key",
        "id",
        "name",
        "scopes",
        "expires_at",
        "prefix",
    }
    assert answer["name"] == "for tests"
    assert answer["scopes"] == ["read"]
    assert answer["expires_at"] is None
    assert answer["prefix"] is None
    assert len(answer["api_key"]) >= 32
    response = server.get("/status", headers=field(answer["api_key"]))
    assert response.status_code == 200


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_everything_is_optional(server, admin, body):
    response = server.post("/generate_key", data=body, headers=admin)
    assert response.status_code == 200
    answer = response.json()
    assert sorted(answer["scopes"]) == ["read", "write"]
    assert answer["expires_at"] is None


def test_every_key_is_another_one(server, admin):
    keys = [new_key(server)["api_key"] for _ in range(5)]
    assert len(set(keys)) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"scopes": "read"}',
        b'{"scopes": ["fly"]}',
        b'{"scopes": [1]}',
        b'{"scopes": []}',
        b'{"expires_in": "soon"}',
        b'{"expires_in": -1}',
        b'{"expires_in": 0}',
        b'{"expires_in": 1.5}',
        b'{"expires_in": 99999999999999999999}',
        b'{"name": 5}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "\xff"}',
        b'{"name": "' + b"x" * 2000 + b'"}',
        b"{} x",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_bad_wishes(server, admin, body):
    response = server.post("/generate_key", data=body, headers=admin)
    expect.error(response, 400)


def test_the_list(server, admin):
    made = new_key(server, name="listed", scopes=["write"], expires_in=3600)
    response = server.get("/keys", headers=admin)
    assert response.status_code == 200
    listed = expect.is_json(response)["keys"]
    (entry,) = [k for k in listed if k["id"] == made["id"]]
    assert set(entry) >= {
        "id",
        "name",
        "scopes",
        "prefix",
        "created_at",
        "expires_at",
        "last_used_at",
    }
    assert entry["name"] == "listed"
    assert entry["scopes"] == ["write"]
    assert expect.is_time(entry["created_at"])
    assert expect.is_time(entry["expires_at"])
    assert entry["expires_at"] == made["expires_at"]
    assert entry["last_used_at"] is None
    # the key is shown once, and its hash never
    assert made["api_key"] not in response.text
    assert "hash" not in response.text


def test_last_use_is_noted(server, admin):
    made = new_key(server, scopes=["read"])
    server.get("/status", headers=field(made["api_key"]))

    def used():
        listed = server.get("/keys", headers=admin).json()["keys"]
        (entry,) = [k for k in listed if k["id"] == made["id"]]
        return expect.is_time(entry["last_used_at"])

    expect.until(used)


def test_a_revoked_key_is_none_at_once(server, admin):
    made = new_key(server)
    headers = field(made["api_key"])
    assert server.get("/status", headers=headers).status_code == 200
    response = server.delete(f"/keys/{made['id']}", headers=admin)
    assert response.status_code == 204
    assert response.content == b""
    unauthorized(server.get("/status", headers=headers))
    listed = server.get("/keys", headers=admin).json()["keys"]
    assert made["id"] not in [k["id"] for k in listed]
    response = server.delete(f"/keys/{made['id']}", headers=admin)
    expect.error(response, 404)


@pytest.mark.parametrize(
    "key_id", ["none", "0" * 32, "x%27--", "%00", "..%2f"]
)
def test_revoking_what_is_not_there(server, admin, key_id):
    with server.raw() as raw:
        fields = list(admin.items())
        response = raw.ask("DELETE", f"/keys/{key_id}", *fields)
        expect.error(response, (400, 404))


def test_a_key_expires(server, admin):
    made = new_key(server, expires_in=1)
    assert expect.is_time(made["expires_at"])
    headers = field(made["api_key"])

    def refused():
        return server.get("/status", headers=headers).status_code == 401

    expect.until(refused)
    unauthorized(server.get("/status", headers=headers))


def test_keys_outlive_a_restart_and_lie_hashed(start):
    own = start(REQUIRE_API_KEY="true")
    key = new_key(own)["api_key"]
    gone = new_key(own)
    own.delete(f"/keys/{gone['id']}", headers=own.as_admin)
    own.restart()
    assert own.get("/status", headers=field(key)).status_code == 200
    unauthorized(own.get("/status", headers=field(gone["api_key"])))
    own.stop()
    kept = [p for p in own.place.rglob("*") if p.is_file()]
    assert len(kept) > 3
    for path in kept:
        content = path.read_bytes()
        assert key.encode() not in content, path
        assert ADMIN_KEY.encode() not in content, path


def test_keys_are_not_logged(start):
    own = start(LOG_LEVEL="debug")
    key = new_key(own, name="x")["api_key"]
    own.get("/status", headers=field(key))
    own.get("/status", headers=bearer(key))
    unauthorized(own.get("/status", headers=field(WRONG)))
    own.stop()
    for secret in (key, ADMIN_KEY, WRONG):
        assert secret not in own.log.text()


def test_without_a_setting_the_first_key_is_made_and_kept(start):
    own = start(ADMIN_API_KEY=None)
    files = [p for p in own.storage.rglob("admin.key")]
    assert len(files) == 1
    mode = stat.S_IMODE(files[0].stat().st_mode)
    assert mode == 0o600
    key = files[0].read_text().strip()
    assert len(key) >= 32
    assert own.get("/keys", headers=field(key)).status_code == 200
    log = own.log.text()
    assert "admin.key" in log  # it says where
    assert key not in log
    own.restart()
    assert files[0].read_text().strip() == key
    assert own.get("/keys", headers=field(key)).status_code == 200


def test_with_a_setting_none_is_made(start):
    own = start()
    assert own.get("/keys", headers=own.as_admin).status_code == 200
    assert not list(own.storage.rglob("admin.key"))


def test_the_name_of_a_key_is_only_a_name(server, admin):
    for text in ("a\"b'; DROP TABLE keys;--", "<b>", "Schlüssel 🔑"):
        made = new_key(server, name=text)
        listed = server.get("/keys", headers=admin).json()["keys"]
        (entry,) = [k for k in listed if k["id"] == made["id"]]
        assert entry["name"] == text


def test_json_of_another_type_is_read_all_the_same(server, admin):
    # curl -d sends application/x-www-form-urlencoded
    response = server.post(
        "/generate_key",
        data=json.dumps({"name": "by curl"}),
        headers={**admin, "Content-Type": "application/x-www-form-urlencoded"},
    )
    if response.status_code == 200:
        assert response.json()["name"] == "by curl"
    else:
        expect.error(response, (400, 415))
