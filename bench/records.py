# SPDX-License-Identifier: MIT
"""A database of a million transfers, as a year might leave it: a hundred
thousand names, two thousand addresses, fifty client ids, three in a hundred
not completed."""

import shutil
import sqlite3
import time

from servers import Sftd

COUNT = 1_000_000
NAMES = 100_000
ADDRESSES = 2_000
CLIENT_IDS = 50
DAY_MS = 24 * 3600 * 1000
YEAR_MS = 365 * DAY_MS

# n counts from 1; the newest is the last.
FILL = f"""
WITH RECURSIVE count (n) AS (
  SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < :count
), row (n, at, direction, status) AS (
  SELECT n, :now - {YEAR_MS - DAY_MS} + (n * {YEAR_MS - 2 * DAY_MS}) / :count,
    n % 2,
    CASE n % 100 WHEN 7 THEN 4 WHEN 42 THEN 5 WHEN 77 THEN 6 ELSE 3 END
  FROM count
)
INSERT INTO transfers (id, direction, status, filename, sha256, encryption,
  priority, transferred, total, speed_bps, client_ip, client_id, user_agent,
  retry_count, created_ms, updated_ms, ended_ms, error, error_code, node,
  lease_ms)
SELECT printf('%012x%020x', at, n), direction, status,
  printf('folder/file-%06d.bin', (n * 7919) % {NAMES}),
  printf('%064x', n), n % 5 = 0, 0, 1000000, 1000000, 50000000,
  printf('10.0.%d.%d', (n * 31) % {ADDRESSES} / 250, (n * 31) % 250),
  CASE WHEN n % 4 = 0 THEN printf('client-%d', n % {CLIENT_IDS}) END,
  'bench', 0, at, at + 20, at + 20,
  CASE WHEN status <> 3 THEN 'as it happens' END,
  CASE WHEN status <> 3 THEN 'internal' END, '', 0
FROM row
"""

SUMS = """
INSERT INTO newest (filename, upload_id, download_id)
  SELECT filename, MAX(CASE WHEN direction = 0 THEN id END),
    MAX(CASE WHEN direction = 1 THEN id END)
  FROM transfers GROUP BY filename;
INSERT INTO clients (ip, client_id, agent, uploads, downloads, bytes, last_ms)
  SELECT client_ip, COALESCE(client_id, ''), 'bench', SUM(direction = 0),
    SUM(direction = 1), SUM((status = 3) * transferred), MAX(updated_ms)
  FROM transfers GROUP BY client_ip, COALESCE(client_id, '');
INSERT INTO counters (name, node, value)
  SELECT 'rows', 'bench', COUNT(*) FROM transfers
  UNION ALL SELECT 'clients', 'bench', COUNT(*) FROM clients
  UNION ALL SELECT CASE direction WHEN 0 THEN 'upload.' ELSE 'download.' END ||
      CASE status WHEN 3 THEN 'completed' WHEN 4 THEN 'failed'
        WHEN 5 THEN 'cancelled' ELSE 'interrupted' END,
    'bench', COUNT(*) FROM transfers GROUP BY direction, status
  UNION ALL SELECT CASE direction WHEN 0 THEN 'bytes.upload'
      ELSE 'bytes.download' END, 'bench', SUM(transferred)
    FROM transfers WHERE status = 3 GROUP BY direction
  UNION ALL SELECT CASE direction WHEN 0 THEN 'us.upload'
      ELSE 'us.download' END, 'bench', SUM(20000)
    FROM transfers WHERE status = 3 GROUP BY direction
  UNION ALL SELECT 'day.' || (100000 + created_ms / 86400000) || '.' ||
      direction || status, 'bench', COUNT(*)
    FROM transfers GROUP BY created_ms / 86400000, direction, status
  UNION ALL SELECT 'encrypted', 'bench', COUNT(*) FROM transfers
    WHERE direction = 0 AND encryption
  UNION ALL SELECT 'type..bin', 'bench', COUNT(*) FROM transfers
    WHERE direction = 0;
ANALYZE;
"""


def fill(database, count):
    """Rows into the database of a server that does not run."""
    db = sqlite3.connect(database)
    db.execute("PRAGMA synchronous = OFF")
    with db:
        db.execute(FILL, {"count": count, "now": int(time.time() * 1000)})
        db.executescript(SUMS)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


class SftdMillion(Sftd):
    """With a million transfers on record.  They are made once in a run."""

    settings = {"HISTORY_KEEP": "0"}
    name = "transfers"

    @staticmethod
    def fill(database):
        fill(database, COUNT)

    def start(self):
        template = self.place.parent / f"million-{self.name}"
        if not template.exists():
            empty = Sftd(self.place.parent / "empty")
            with empty:
                pass_on(empty)
                shutil.copytree(empty.place / "storage", template)
            self.fill(template / "records.db")
        shutil.copytree(template, self.place / "storage")
        super().start()


def pass_on(server):
    """Ends it in order, so that its directory is whole."""
    server.process.terminate()
    server.process.wait(20)
