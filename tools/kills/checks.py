"""What must hold of a studio whose processes were killed: each check returns what it found wrong, as lines of text."""

import hashlib
import os
import pathlib
import re
import struct
import zlib

from kills.ledger import Ledger
from kills.people import SHOW
from kills.studio import Rows

FEW = 5  # lines of one kind that are reported

# Each statement names rows that must not be there. One statement sees one moment, so they hold while work goes on.
INVARIANTS = {
    "a take without its one event": """SELECT id FROM takes t WHERE (SELECT count(*) FROM events e
        WHERE e.subject_id = t.id AND e.action = 'take:new') <> 1""",
    "an event of a take that is not there": """SELECT subject_id AS id FROM events e WHERE action = 'take:new'
        AND NOT EXISTS (SELECT 1 FROM takes t WHERE t.id = e.subject_id)""",
    "a job without its one event": """SELECT id FROM jobs j WHERE (SELECT count(*) FROM events e
        WHERE e.subject_id = j.id AND e.action = 'job:create') <> 1""",
    "an event of a job that is not there": """SELECT subject_id AS id FROM events e WHERE action = 'job:create'
        AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = e.subject_id)""",
    "a shot or asset without its one event": """SELECT id FROM entities n WHERE (SELECT count(*) FROM events e
        WHERE e.subject_id = n.id AND e.action = n.kind || ':create') <> 1""",
    "a task without its one event": """SELECT id FROM tasks k WHERE (SELECT count(*) FROM events e
        WHERE e.subject_id = k.id AND e.action = 'task:create') <> 1""",
    "a task whose comments and events differ in number": """SELECT id FROM tasks k WHERE
        (SELECT count(*) FROM comments m WHERE m.task_id = k.id) <>
        (SELECT count(*) FROM events e WHERE e.subject_id = k.id AND e.action = 'comment:new')""",
    "a take whose drawings and events differ in number": """SELECT t.id FROM takes t WHERE
        (SELECT count(*) FROM annotations a WHERE a.take_id = t.id) <>
        (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'take:annotate')""",
    "a take whose files and events differ in number": """SELECT t.id FROM takes t WHERE
        (SELECT count(*) FROM take_files f WHERE f.take_id = t.id) <>
        (SELECT count(*) FROM events e WHERE e.subject_id = t.id AND e.action = 'take:file-add')""",
    "a mark without an event": """SELECT take_id AS id FROM marks m WHERE NOT EXISTS (SELECT 1 FROM events e
        WHERE e.subject_id = m.take_id AND e.action = 'take:mark')""",
    "a take marked in the log and nowhere else": """SELECT subject_id AS id FROM events e WHERE action = 'take:mark'
        AND NOT EXISTS (SELECT 1 FROM marks m WHERE m.take_id = e.subject_id)""",
    "a casting without an event": """SELECT shot_id AS id FROM castings c WHERE NOT EXISTS (SELECT 1 FROM events e
        WHERE e.subject_id = c.shot_id AND e.action = 'shot:casting-update')""",
    "an upload in the log without its file": """SELECT subject_id AS id FROM events e WHERE action = 'file:upload'
        AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = e.subject_id)""",
    "a task that counts its takes wrongly": """SELECT id FROM tasks k WHERE take_count <>
        (SELECT count(*) FROM takes t WHERE t.task_id = k.id)""",
    "a gap in the numbers of takes": """SELECT task_id AS id FROM takes GROUP BY task_id, revision
        HAVING min(number) <> 1 OR max(number) <> count(*)""",
    "a seed that became two takes": """SELECT job_id AS id FROM takes WHERE job_id IS NOT NULL GROUP BY job_id, seed
        HAVING count(*) > 1""",
    "a job that counts its takes wrongly": """SELECT id FROM jobs j WHERE made <>
        (SELECT count(*) FROM takes t WHERE t.job_id = j.id)""",
    "a job that is done without all its takes": "SELECT id FROM jobs WHERE state = 'done' AND made <> count",
    "a take whose picture is not registered": """SELECT id FROM takes t WHERE purged_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM files f WHERE f.show_id = t.show_id AND f.sha256 = t.sha256 AND f.purged_at IS NULL)""",
    "a take whose thumbnail is not registered": """SELECT id FROM takes t WHERE NOT EXISTS (SELECT 1 FROM files f
        WHERE f.show_id = t.show_id AND f.sha256 = t.thumbnail AND f.purged_at IS NULL)""",
    "a task whose approved take is not the last one in its history": """SELECT id FROM tasks k WHERE
        coalesce(approved_take_id, '') <> coalesce((SELECT a.take_id FROM approvals a WHERE a.task_id = k.id
        ORDER BY a.seq DESC LIMIT 1), '')""",
    "approvals and their events differ in number": """SELECT 'the studio' AS id WHERE (SELECT count(*) FROM approvals)
        <> (SELECT count(*) FROM events WHERE action IN ('take:approve', 'take:unapprove'))""",
}
SQLITE_INVARIANTS = {
    "a gap in the event log": """SELECT 'seq ' || max(seq) AS id FROM events HAVING max(seq) <> count(*)""",
}

# The columns of the ledger's rows: where an id is made of several columns, and what is asked for.
KEYS = {"files": "sha256", "comments": "text", "take_files": "take_id || '/' || representation || '/' || name"}

# The ledger's values: what the database has of each fact.
VALUES = {
    "mark": "SELECT take_id AS id, stars || ' ' || verdict AS value FROM marks",
    "title": "SELECT id, title AS value FROM takes",
    "status": "SELECT k.id, s.code AS value FROM tasks k JOIN task_statuses s ON s.id = k.status_id",
    "approved": "SELECT id, approved_take_id AS value FROM tasks",
    "cast": "SELECT shot_id AS id, count AS value FROM castings",
    "canvas": "SELECT task_id AS id, document AS value FROM canvases",
    "withdrawn": """SELECT id, CASE WHEN purged_at IS NOT NULL THEN 'purged' WHEN withdrawn_at IS NOT NULL THEN 'yes'
        ELSE 'no' END AS value FROM takes""",
}
FIRST_VALUES = {"status": "todo", "withdrawn": "no"}  # where "" in the ledger means: as it was made


def few(what: str, names: list[str]) -> list[str]:
    lines = [f"{what}: {name}" for name in names[:FEW]]
    return lines + ([f"{what}: {len(names) - FEW} more"] if len(names) > FEW else [])


# --- the database ------------------------------------------------------------------------------------------


def invariants(rows: Rows) -> list[str]:
    table = INVARIANTS | (SQLITE_INVARIANTS if rows.is_sqlite else {})
    return [line for what, statement in table.items() for line in few(what, [r["id"] for r in rows(statement)])]


def integrity(rows: Rows) -> list[str]:
    if not rows.is_sqlite:
        return []  # PostgreSQL guards its own files, and was not killed
    found = [row["integrity_check"] for row in rows("PRAGMA integrity_check") if row["integrity_check"] != "ok"]
    broken = [f"{row['table']} row {row['rowid']}" for row in rows("PRAGMA foreign_key_check")]
    return few("integrity_check", found) + few("foreign_key_check", broken)


def ledger_rows(rows: Rows, ledger: Ledger, wanted: list[tuple[str, str]]) -> list[str]:
    """Every acknowledged row is there, with what it was made of."""
    found = []
    for table in sorted({table for table, _ in wanted}):
        ids = sorted({id for t, id in wanted if t == table})
        key = KEYS.get(table, "id")
        for begin in range(0, len(ids), 500):
            part = ids[begin : begin + 500]
            names = ", ".join("'" + id.replace("'", "''") + "'" for id in part)
            there = {row["key_"]: row for row in rows(f"SELECT {key} AS key_, x.* FROM {table} x WHERE {key} IN ({names})")}
            for id in part:
                if id not in there:
                    found.append(f"{table} {id} was acknowledged and is not there")
                    continue
                for name, value in ledger.rows[table, id].items():
                    if there[id][name] != value:
                        found.append(f"{table} {id}: {name} is {there[id][name]!r} and was acknowledged as {value!r}")
    return few("lost", found)


def ledger_values(rows: Rows, ledger: Ledger) -> list[str]:
    """What changes again and again has the last acknowledged value, or one that was asked for after it."""
    found = []
    for kind, statement in VALUES.items():
        now = {row["id"]: row["value"] for row in rows(statement)}
        for (known, id), allowed in list(ledger.values.items()):
            if known != kind:
                continue
            value = now.get(id, "")
            if kind == "canvas" and value:
                value = re.sub(r"[^0-9]", "", value)
            if value not in allowed and not ("" in allowed and value == FIRST_VALUES.get(kind, "")):
                found.append(f"{kind} of {id} is {value!r}, and should be {' or '.join(map(repr, allowed))}")
    return few("lost", found)


def ledger_events(rows: Rows, ledger: Ledger) -> list[str]:
    """The log has every acknowledged change, and none that nobody asked for."""
    actions = sorted({action for action, _ in [*ledger.sure, *ledger.perhaps]})
    names = ", ".join(f"'{action}'" for action in actions)
    there = {(row["action"], row["subject_id"]): int(row["n"]) for row in rows(
        f"SELECT action, subject_id, count(*) AS n FROM events WHERE action IN ({names}) GROUP BY action, subject_id"
    )} if actions else {}  # fmt: skip
    found = []
    for fact in {*there, *ledger.sure, *ledger.perhaps}:
        least, most = ledger.sure[fact], ledger.sure[fact] + ledger.perhaps[fact]
        if not least <= there.get(fact, 0) <= most:
            found.append(f"{fact[0]} of {fact[1]}: {there.get(fact, 0)} in the log, {least} acknowledged, at most {most}")
    return few("event log", found)


def jobs(rows: Rows, ledger: Ledger) -> list[str]:
    """Once nothing is open: every accepted job made each of its seeds once."""
    found = []
    seeds: dict[str, list[int]] = {}
    for row in rows("SELECT job_id, seed FROM takes WHERE job_id IS NOT NULL"):
        seeds.setdefault(row["job_id"], []).append(int(row["seed"]))
    for row in rows("SELECT id, state, count, made, request FROM jobs"):
        allowed = ledger.allowed("job", row["id"])
        if allowed != [""] and row["state"] not in allowed or row["state"] not in ("done", "canceled"):
            found.append(f"job {row['id']} is {row['state']} with {row['made']} of {row['count']}")
        first = int(re.search(r'"seed":\s*"?(\d+)', row["request"])[1])
        made = sorted(seeds.get(row["id"], []))
        wanted = list(range(first, first + (int(row["count"]) if row["state"] == "done" else len(made))))
        if made != wanted:
            found.append(f"job {row['id']} made the seeds {made}, not {wanted}")
    return few("jobs", found)


# --- the disk ----------------------------------------------------------------------------------------------


def whole_png(content: bytes) -> bool:
    """All chunks with their sums, from the signature to the end."""
    at = 8
    while content[:8] == b"\x89PNG\r\n\x1a\n" and at + 12 <= len(content):
        size = struct.unpack_from(">I", content, at)[0]
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        if content[at + 8 + size : at + 12 + size] != struct.pack(">I", zlib.crc32(kind + body)):
            return False
        at += 12 + size
        if kind == b"IEND":
            return at == len(content)
    return False


class Store:
    """The files of the show. Those that were looked at once are only looked for afterwards, until `anew`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "shows" / SHOW / "files"
        self.seen: set[str] = set()

    def check(self, rows: Rows, anew: bool = False) -> list[str]:
        found = []
        if anew:
            self.seen.clear()
        # The disk after the database: files come before their rows.
        known = rows("SELECT sha256, bytes, media_type, purged_at FROM files")
        on_disk = {path.name: path for path in self.folder.glob("*/*")}
        for row in known:
            if not row["purged_at"] and row["sha256"] not in on_disk:
                found.append(f"the file {row['sha256']} is missing")
        media_types = {row["sha256"]: row["media_type"] for row in known}
        for name, path in on_disk.items():
            if name in self.seen or ".partial" in name:
                continue
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != name or path.parent.name != name[:2]:
                found.append(f"the file {name} has other bytes")
            elif media_types.get(name) == "image/png" and not whole_png(content):
                found.append(f"the picture {name} is torn")
            elif media_types.get(name) == "image/jpeg" and not content.endswith(b"\xff\xd9"):
                found.append(f"the thumbnail {name} is torn")
            self.seen.add(name)
        return few("store", found)


def is_left_over(name: str) -> bool:
    """A temporary file whose process is gone."""
    parts = name.rsplit(".partial", 1)[0].rsplit(".", 1)[-1].split("-")
    if ".partial" not in name:
        return False
    return len(parts) != 3 or not pathlib.Path(f"/proc/{parts[1]}").exists()


class LeftOvers:
    """Nothing half written stays of those who were killed: what is there after a start is gone after the next one.
    (A process may still be dying when the next server starts.)"""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.before: set[str] = set()

    def check(self) -> list[str]:
        names = {os.path.join(at, n) for at, _, files in os.walk(self.folder) for n in files if is_left_over(n)}
        stayed, self.before = names & self.before, names
        return few("temporary file", sorted(os.path.relpath(name, self.folder) for name in stayed))

    def check_all(self) -> list[str]:
        self.check()
        return self.check()


def idle_spool(folder: pathlib.Path) -> list[str]:
    """Once nothing is open, nothing waits in the spool."""
    return few("left in the spool", sorted(path.name for path in (folder / "spool").iterdir()))
