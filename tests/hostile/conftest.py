# SPDX-License-Identifier: MIT
"""What script/hostile says of each attack: the first line of its test."""

import pytest


@pytest.fixture
def closed(start):
    return start(REQUIRE_API_KEY="true")


def pytest_collection_modifyitems(items):
    for item in items:
        doc = item.obj.__doc__ or ""
        tried = " ".join(doc.split("\n\n")[0].split())
        item.user_properties.append(("tried", tried))
