# SPDX-License-Identifier: MIT
"""Fixtures of the black-box tests.

server   a running server for tests that leave it as it was: one for all
         tests of a worker, or the one named by --url
start    starts servers of a test's own, with settings
name     a file name that nobody else uses

A test that uses `start` needs a server of its own; all others are marked
`blackbox` and run with --url, too.
"""

import os
import uuid

import pytest

import tls
from sftd import Sftd, Target

# Programs and libraries that the tests run have to trust it, too.
if os.environ.get("SFTD_TLS"):
    for variable in (
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "SFT_CA",
        "WEBSOCKET_CLIENT_CA_BUNDLE",
    ):
        os.environ[variable] = str(tls.shared().ca)


def pytest_addoption(parser):
    group = parser.getgroup("sftd")
    group.addoption(
        "--url", help="test the server that runs there, as it is"
    )
    group.addoption("--admin-key", help="an admin key of that server")


def pytest_collection_modifyitems(config, items):
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "server" in names and "start" not in names:
            item.add_marker("blackbox")
    if not config.getoption("--url"):
        return
    kept = [i for i in items if i.get_closest_marker("blackbox")]
    gone = [i for i in items if not i.get_closest_marker("blackbox")]
    items[:] = kept
    config.hook.pytest_deselected(items=gone)


@pytest.fixture(scope="session")
def shared(request, tmp_path_factory):
    url = request.config.getoption("--url")
    if url:
        yield Target(url, request.config.getoption("--admin-key"))
        return
    server = Sftd(tmp_path_factory.mktemp("shared")).start()
    yield server
    server.end()


@pytest.fixture
def server(shared):
    if not isinstance(shared, Sftd):
        yield shared
        return
    n_before = len(shared.log.lines)
    yield shared
    print("\n".join(shared.log.lines[n_before:][-100:]))
    shared.check()


@pytest.fixture
def admin(server):
    """Fields of a request that show the admin key."""
    if not server.as_admin:
        pytest.skip("needs --admin-key")
    return server.as_admin


@pytest.fixture
def start(tmp_path):
    """start(NAME=value...) starts a server; place="x" sets it beside
    another one of the test."""
    servers = []

    def start_one(place="", arguments=(), **settings):
        where = tmp_path / place
        where.mkdir(exist_ok=True)
        one = Sftd(where, settings, arguments)
        servers.append(one)
        return one.start()

    yield start_one
    errors = []
    for one in reversed(servers):
        try:
            one.end()
        except AssertionError as e:
            errors.append(e)
        if one.log is not None:
            print("\n".join(one.log.lines[-200:]))
    for e in errors:
        raise e


@pytest.fixture
def names():
    """Makes file names that nobody else uses."""
    return lambda suffix=".bin": f"t-{uuid.uuid4().hex[:12]}{suffix}"


@pytest.fixture
def name(names):
    return names()
