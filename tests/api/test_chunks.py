# SPDX-License-Identifier: MIT
"""POST /upload_chunk and GET /resume_info: chunks in any order, of any
sizes, many at once."""

import itertools
import random

import pytest

import expect
import form
from chunks import Upload, completed, content, cut, good, sha

MIB = 1024 * 1024
BOTH = pytest.mark.parametrize("encryption", ["false", "true"])


@BOTH
def test_chunks_in_order(server, name, encryption):
    data = content(300_000)
    up = Upload(server, name, cut(data, 65536), encryption=encryption)
    for number in range(4):
        answer = good(up.send(number))
        assert answer == {
            "success": True,
            "chunks_received": number + 1,
            "total_chunks": 5,
            "status": "uploading",
        }
        server.lacks(name)
    answer = completed(up.send(4), up)
    assert answer["encryption"] is (encryption == "true")
    assert up.resume_info() == {"received_chunks": [], "can_resume": False}


def orders():
    rng = random.Random(4)
    return [
        [3, 2, 1, 0],
        [3, 0, 1, 2],
        [1, 0, 3, 2],
        [2, 3, 0, 1],
        *[rng.sample(range(4), 4) for _ in range(4)],
    ]


SIZES = [
    [65536, 65536, 65536, 10],
    [65536, 65536, 65536, 65536],
    [65536, 65536, 65536, 0],
    [65536, 65536, 65536, 70000],
    [1000, 1000, 1000, 3],
    [1000, 2000, 1, 70000],
    [70000, 10, 65536, 65526],
    [65536, 131072, 65536, 1],
    [131072, 65536, 131072, 65536],
    [10, 0, 0, 0],
    [0, 0, 0, 10],
    [0, 0, 0, 0],
    [65536, 65536, 10, 65526],
    [65536, 10, 65526, 0],
]


@BOTH
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_any_sizes_in_any_order(server, name, sizes, encryption):
    data = content(sum(sizes), seed=str(sizes))
    at = itertools.accumulate([0, *sizes])
    pieces = [data[a : a + n] for a, n in zip(at, sizes)]
    for i, order in enumerate(orders()):
        up = Upload(server, f"{name}-{i}", pieces, encryption=encryption)
        for number in order[:-1]:
            assert good(up.send(number))["status"] == "uploading"
        completed(up.send(order[-1]), up)
    assert server.status(f"{name}-0")["status"] == "completed"


@pytest.mark.tsan
@BOTH
@pytest.mark.parametrize("first", [False, True], ids=["fields", "chunk"])
def test_many_at_once(server, name, encryption, first):
    data = content(9 * MIB + 77)
    up = Upload(server, name, cut(data, MIB), encryption=encryption)
    numbers = random.Random(7).sample(range(10), 10)
    answers = up.send_all(numbers, at_once=5, first=first)
    assert [r.status_code for r in answers] == [200] * 10, [
        r.text for r in answers if r.status_code != 200
    ]
    done = [r for r in answers if r.json()["status"] == "completed"]
    assert len(done) == 1
    completed(done[0], up)


@BOTH
def test_a_chunk_that_comes_before_its_fields_may_be_large(
    server, name, encryption
):
    data = content(7 * MIB)
    up = Upload(server, name, cut(data, 3 * MIB), encryption=encryption)
    for number in (1, 0):
        assert good(up.send_chunk_first(number))["status"] == "uploading"
    completed(up.send_chunk_first(2), up)


def test_one_chunk_is_a_file(server, name):
    up = Upload(server, name, [b"all of it"])
    completed(up.send(0), up)


@BOTH
def test_an_empty_file_is_one_empty_chunk(server, name, encryption):
    up = Upload(server, name, [b""], encryption=encryption)
    completed(up.send(0), up)


def test_a_later_upload_of_the_name_replaces_the_file(server, name):
    server.put(name, b"the old one")
    up = Upload(server, name, [b"new ", b"one"])
    good(up.send(0))
    assert server.has(name, b"the old one")
    completed(up.send(1), up)
    again = Upload(server, name, [b"newer ", b"yet"])
    good(again.send(0))
    completed(again.send(1), again)


# --- what is there ----------------------------------------------------------


def test_resume_info(server, name):
    up = Upload(server, name, cut(content(80_000), 10_000))
    assert up.resume_info() == {"received_chunks": [], "can_resume": False}
    for number in (0, 1, 2, 4):
        good(up.send(number))
    info = up.resume_info()
    info.pop("chunk_size")
    assert info == {
        "received_chunks": [0, 1, 2, 4],
        "can_resume": True,
        "total_chunks": 8,
        "chunks_received": 4,
        "received_ranges": [[0, 2], [4, 4]],
    }


def test_a_chunk_again_changes_nothing(server, name):
    up = Upload(server, name, [b"a" * 1000, b"b" * 1000, b"c"])
    good(up.send(1))
    assert good(up.send(1))["chunks_received"] == 1
    assert server.status(name)["retry_count"] == 1
    good(up.send(0))
    completed(up.send(2), up)


def test_progress_is_seen(server, name):
    up = Upload(server, name, cut(content(40_000), 10_000), total_size=40_000)
    good(up.send(0))
    good(up.send(2))
    status = server.status(name)
    assert status["status"] == "uploading"
    assert status["transferred_bytes"] == 20_000
    assert status["total_bytes"] == 40_000
    assert status["progress"] == 50
    good(up.send(1))
    completed(up.send(3), up)
    status = server.status(name)
    assert status["status"] == "completed"
    assert status["progress"] == 100
    assert status["transferred_bytes"] == 40_000
    assert status["checksum"] == sha(up.data())


# --- what does not fit --------------------------------------------------------


def test_a_wrong_hash_is_refused_and_nothing_kept(server, name):
    up = Upload(server, name, [b"one", b"two"])
    response = up.send(0, data=b"not one")
    expect.error(response, 400, "chunk_hash_mismatch")
    assert up.resume_info()["received_chunks"] == []
    good(up.send(0))
    completed(up.send(1), up)


@BOTH
def test_another_chunk_in_the_place_of_one(server, name, encryption):
    up = Upload(server, name, [b"one", b"two"], encryption=encryption)
    good(up.send(0))
    response = up.send(0, data=b"eno", chunk_hash=sha(b"eno"))
    expect.error(response, 409, "chunk_conflict")
    completed(up.send(1), up)


@pytest.mark.parametrize(
    "field, value",
    [
        ("total_chunks", 3),
        ("total_size", 7),
        ("file_hash", sha(b"other")),
        ("encryption", "true"),
    ],
)
def test_other_ideas_about_the_file(server, name, field, value):
    up = Upload(server, name, [b"one", b"two"])
    good(up.send(0, total_size=6, file_hash=sha(b"onetwo")))
    response = up.send(1, **{field: value})
    expect.error(response, 409, "session_conflict")
    completed(up.send(1), up)


def test_other_ideas_that_come_after_the_chunk(server, name):
    up = Upload(server, name, [b"one", b"two"])
    good(up.send(0, total_size=6))
    fields = up.fields_of(1)
    parts = [form.part(k, v) for k, v in fields.items()]
    parts.append(form.part("chunk", b"two", "blob"))
    parts.append(form.part("total_size", "7"))
    response = form.post(server, *parts, path="/upload_chunk")
    expect.error(response, 409, "session_conflict")
    assert up.resume_info()["received_chunks"] == [0]
    completed(up.send(1), up)


def test_a_hash_that_comes_after_the_chunk_counts(server, name):
    fields = Upload(server, name, [b"one"]).fields_of(0, encryption="no")
    parts = [form.part(k, v) for k, v in fields.items()]
    parts.append(form.part("chunk", b"one", "blob"))
    parts.append(form.part("file_hash", sha(b"two")))
    response = form.post(server, *parts, path="/upload_chunk")
    expect.error(response, 422, "hash_mismatch")
    server.lacks(name)


@BOTH
def test_the_whole_has_another_hash(server, name, encryption):
    up = Upload(
        server,
        name,
        [b"one", b"two"],
        file_hash=sha(b"else"),
        encryption=encryption,
    )
    good(up.send(0))
    expect.error(up.send(1), 422, "hash_mismatch")
    server.lacks(name)
    assert up.resume_info()["can_resume"] is False
    # Other chunks of that set get the same for a while, 0 begins anew.
    expect.error(up.send(1), 422, "hash_mismatch")
    up.fields.pop("file_hash")
    good(up.send(0))
    completed(up.send(1), up)


@pytest.mark.parametrize("total_size", [5, 7])
def test_the_whole_has_another_size(server, name, total_size):
    up = Upload(server, name, [b"one", b"two"], total_size=total_size)
    good(up.send(0))
    expect.error(up.send(1), 422, "size_mismatch")
    server.lacks(name)
    assert server.status(name)["status"] == "failed"


def bad_fields():
    good_hash = sha(b"one")
    yield "chunk_number", None
    yield "total_chunks", None
    yield "chunk_hash", None
    yield "filename", None
    for value in ("-1", "1", "x", "1.0", "", "99999999999999999999"):
        yield "chunk_number", value
    for value in ("0", "-1", "1000001", "", "one"):
        yield "total_chunks", value
    for value in ("", good_hash[1:], good_hash + "0", "g" * 64):
        yield "chunk_hash", value
    for value in ("-1", "x", "99999999999999999999"):
        yield "total_size", value
    yield "file_hash", "abc"
    yield "encryption", "perhaps"
    yield "priority", "11"
    yield "client_id", "x" * 129


@pytest.mark.parametrize("first", [False, True], ids=["fields", "chunk"])
@pytest.mark.parametrize("field, value", list(bad_fields()))
def test_bad_fields(server, name, field, value, first):
    up = Upload(server, name, [b"one"])
    fields = up.fields_of(0)
    if value is None:
        del fields[field]
    else:
        fields[field] = value
    parts = [form.part(k, v) for k, v in fields.items()]
    chunk = form.part("chunk", b"one", "blob")
    parts = [chunk, *parts] if first else [*parts, chunk]
    response = form.post(server, *parts, path="/upload_chunk")
    expect.error(response, 400, "invalid_parameter")
    server.lacks(name)


def test_a_bad_name(server):
    up = Upload(server, "../x", [b"one"])
    expect.error(up.send(0), 400, "invalid_filename")
    response = server.get("/resume_info/..%2Fx")
    expect.error(response, 400, "invalid_filename")


def test_a_form_without_a_chunk(server, name):
    up = Upload(server, name, [b"one"])
    parts = [form.part(k, v) for k, v in up.fields_of(0).items()]
    response = form.post(server, *parts, path="/upload_chunk")
    expect.error(response, 400, "missing_file")
    response = server.post("/upload_chunk", data=b"x")
    expect.error(response, 400, "missing_file")


def test_two_chunks_in_one_form(server, name):
    up = Upload(server, name, [b"one", b"two"])
    parts = [form.part(k, v) for k, v in up.fields_of(0).items()]
    parts += [form.part("chunk", b"one", "blob")] * 2
    response = form.post(server, *parts, path="/upload_chunk")
    expect.error(response, 400, "invalid_parameter")
    assert up.resume_info()["received_chunks"] == []


def test_a_lost_answer_is_given_again(server, name):
    up = Upload(server, name, [b"one", b"two"])
    good(up.send(0))
    first = completed(up.send(1), up)
    assert completed(up.send(1), up) == first
    # An earlier chunk begins a new upload; then there is nothing to repeat.
    assert good(up.send(0))["chunks_received"] == 1
    assert completed(up.send(1), up)["id"] != first["id"]


def test_another_client_gets_no_answer_of_this_one(server, name):
    up = Upload(server, name, [b"one", b"two"], client_id="a")
    good(up.send(0))
    completed(up.send(1), up)
    up.fields["client_id"] = "b"
    answer = good(up.send(1))
    assert answer["status"] == "uploading"


def test_no_answer_is_repeated_for_a_file_that_was_replaced(server, name):
    up = Upload(server, name, [b"one", b"two"])
    good(up.send(0))
    completed(up.send(1), up)
    server.put(name, b"something else")
    assert good(up.send(1))["status"] == "uploading"
    assert server.has(name, b"something else")


# --- limits -------------------------------------------------------------------


def test_a_sum_beyond_the_largest_file(start):
    server = start(MAX_FILE_SIZE="100000")
    up = Upload(server, "a", [b"x" * 60_000, b"y" * 60_000])
    good(up.send(0))
    response = up.send(1)
    expect.error(response, 413, "file_too_large")
    assert response.json()["max_file_size"] == 100_000
    fits = Upload(server, "b", [b"x" * 60_000, b"y" * 40_000])
    good(fits.send(0))
    completed(fits.send(1), fits)
    told = Upload(server, "c", [b"x", b"y"], total_size=100_001)
    expect.error(told.send(0), 413, "file_too_large")
    assert told.resume_info()["can_resume"] is False


def test_numbers_far_away_do_not_make_a_huge_file(start):
    server = start(MAX_FILE_SIZE="100000")
    up = Upload(server, "a", [b"x" * 10_000] * 1000)
    good(up.send(0))
    good(up.send(999))
    sizes = [p.stat().st_size for p in (server.storage / "temp").iterdir()]
    assert max(sizes) <= 100_000


def test_the_most_chunks(server, name):
    up = Upload(server, name, [b"x"])
    good(up.send(0, total_chunks=1_000_000))
    good(up.send(0, total_chunks=1_000_000, chunk_number=999_999))
    assert up.resume_info()["received_ranges"] == [
        [0, 0],
        [999_999, 999_999],
    ]


def test_what_is_left_of_nothing(start):
    """No bytes stay of chunks that were refused, nor of those folded in."""
    server = start()
    sizes = [1000, 70000, 10, 65536]
    data = content(sum(sizes))
    at = itertools.accumulate([0, *sizes])
    pieces = [data[a : a + n] for a, n in zip(at, sizes)]
    for i, encryption in enumerate(("no", "yes")):
        up = Upload(server, f"f{i}", pieces, encryption=encryption)
        for number in (2, 3, 1):
            good(up.send(number))
            up.send(number, data=b"wrong")
        completed(up.send(0), up)
    lost = Upload(server, "lost", [b"one", b"two"], total_size=9)
    good(lost.send(0))
    expect.error(lost.send(1), 422, "size_mismatch")
    assert list((server.storage / "temp").iterdir()) == []


# --- rights -------------------------------------------------------------------


def test_a_key_knows_only_its_names(server, admin):
    made = server.post(
        "/generate_key", json={"prefix": "team-a/"}, headers=admin
    ).json()
    key = {"X-API-Key": made["api_key"]}
    up = Upload(server, "team-b/x", [b"one", b"two"], headers=key)
    expect.error(up.send(0), 403, "forbidden")
    other = Upload(server, "team-b/x", [b"one", b"two"])
    good(other.send(0))
    assert up.resume_info() == {"received_chunks": [], "can_resume": False}
    mine = Upload(server, "team-a/x", [b"one", b"two"], headers=key)
    good(mine.send(0))
    assert mine.resume_info()["can_resume"] is True
    for path in ("team-b/x", "team-a/x"):
        server.post(f"/cancel/{path}", headers=admin)


# --- the disk -----------------------------------------------------------------


def test_no_room_is_said_at_once(start):
    """507 when the size is known, and not at 99 %."""
    server = start(MIN_FREE_SPACE="1000000G")
    up = Upload(server, "a", [b"one", b"two"], total_size=6)
    expect.error(up.send(0), 507, "storage_full")
    assert up.resume_info()["can_resume"] is False
    response = server.post(
        "/tus/", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "6"}
    )
    expect.error(response, 507, "storage_full")
    # What was made before is taken away by another thread.
    expect.until(lambda: server.files_below("temp") == [])
    expect.error(
        Upload(server, "b", [b"one", b"two"]).send(0), 507, "storage_full"
    )


def test_a_session_is_idle_after_a_restart(start):
    server = start()
    up = Upload(server, "a", [b"one", b"two"])
    good(up.send(1))
    server.restart()
    up.server = server
    status = server.status("a")
    assert status["status"] == "interrupted"
    assert status["transferred_bytes"] == 3
    assert up.resume_info()["received_ranges"] == [[1, 1]]
    completed(up.send(0), up)
    assert server.status("a")["retry_count"] == 1


def test_expiry(start):
    server = start(UPLOAD_EXPIRY="1s")
    up = Upload(server, "a", [b"one", b"two"])
    good(up.send(0))
    expect.until(lambda: not up.resume_info()["can_resume"])
    expect.until(lambda: server.files_below("temp") == [])
    status = server.status("a")
    assert status["status"] == "failed"
    assert "removed" in status["error"]


def test_the_master_key_is_changed_meanwhile(start):
    """The upload goes on, and does not need the old key once it has been
    wrapped anew."""
    old, new, other = ("11" * 16, "22" * 16, "33" * 16)
    server = start(ENCRYPTION_KEY=old)
    pieces = [content(70_000), content(70_000), b"end"]
    up = Upload(server, "a", pieces, encryption="true")
    good(up.send(0))
    server.stop()
    server.settings["ENCRYPTION_KEY"] = new
    server.settings["ENCRYPTION_KEY_PREVIOUS"] = old
    server.start()
    server.stop()
    server.settings["ENCRYPTION_KEY_PREVIOUS"] = other
    server.start()
    up.server = server
    good(up.send(1))
    completed(up.send(2), up)
