"""Tests of the checks: copies of a good studio, each damaged in one way that a check must find."""

import os
import pathlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable

from kills.people import SHOW


def run_sql(studio: pathlib.Path, *statements: str) -> None:
    """As nobody could through the program: without triggers and foreign keys."""
    connection = sqlite3.connect(studio / "studio.db")
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        if connection.execute(statement).rowcount == 0:
            raise RuntimeError(f"sabotage touched nothing: {statement}")
    connection.commit()
    connection.close()


def column(studio: pathlib.Path, statement: str) -> str:
    connection = sqlite3.connect(studio / "studio.db")
    value = connection.execute(statement).fetchone()[0]
    connection.close()
    return value


def stored(studio: pathlib.Path, sha256: str) -> pathlib.Path:
    return studio / "shows" / SHOW / "files" / sha256[:2] / sha256


def a_picture(studio: pathlib.Path) -> pathlib.Path:
    return stored(studio, column(studio, "SELECT sha256 FROM takes WHERE purged_at IS NULL ORDER BY seq DESC LIMIT 1"))


def flip_a_byte(studio: pathlib.Path) -> None:
    file = a_picture(studio)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def tear_a_file(studio: pathlib.Path) -> None:
    file = a_picture(studio)
    os.truncate(file, file.stat().st_size // 2)


def half_an_orphan(studio: pathlib.Path) -> None:
    """Stored before it was whole, and never named by a row."""
    file = stored(studio, "ab" * 32)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"half")


def lose_a_thumbnail(studio: pathlib.Path) -> None:
    stored(studio, column(studio, "SELECT thumbnail FROM takes ORDER BY seq LIMIT 1")).unlink()


def tear_the_database(studio: pathlib.Path) -> None:
    """A page of the database is overwritten."""
    with open(studio / "studio.db", "r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\0" * 4096)


GENERATED = "(SELECT id FROM takes WHERE job_id IS NOT NULL ORDER BY seq DESC LIMIT 1)"
IMPORTED = "(SELECT id FROM takes WHERE origin = 'imported' ORDER BY seq DESC LIMIT 1)"

SABOTAGE: dict[str, Callable[[pathlib.Path], None]] = {
    "a file is deleted": lambda s: a_picture(s).unlink(),
    "a byte is flipped": flip_a_byte,
    "a file is torn": tear_a_file,
    "half a file is in the store": half_an_orphan,
    "a thumbnail is deleted": lose_a_thumbnail,
    "a page of the database is lost": tear_the_database,
    "a take is lost": lambda s: run_sql(s, f"DELETE FROM takes WHERE id = {IMPORTED}"),
    "a take is lost with its event": lambda s: run_sql(
        s, f"DELETE FROM events WHERE subject_id = {IMPORTED}", f"DELETE FROM takes WHERE id = {IMPORTED}"),
    "an event is lost": lambda s: run_sql(s, f"DELETE FROM events WHERE subject_id = {GENERATED}"),
    "the last event is lost": lambda s: run_sql(
        s, "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events WHERE action = 'take:mark')"),
    "a take has no thumbnail row": lambda s: run_sql(
        s, f"DELETE FROM files WHERE sha256 = (SELECT thumbnail FROM takes WHERE id = {GENERATED})"),
    "a number is skipped": lambda s: run_sql(s, f"UPDATE takes SET number = number + 7 WHERE id = {GENERATED}"),
    "a seed is made twice": lambda s: run_sql(
        s, f"UPDATE takes SET seed = seed + 1 WHERE id = {GENERATED}"),
    "a job was forgotten": lambda s: run_sql(
        s, f"UPDATE jobs SET state = 'queued' WHERE id = (SELECT job_id FROM takes WHERE id = {GENERATED})"),
    "a job miscounts": lambda s: run_sql(
        s, f"UPDATE jobs SET made = made - 1 WHERE id = (SELECT job_id FROM takes WHERE id = {GENERATED})"),
    "a mark is lost": lambda s: run_sql(s, "DELETE FROM marks WHERE take_id = (SELECT max(take_id) FROM marks)"),
    "a mark is an older one": lambda s: run_sql(s, "UPDATE marks SET stars = (stars + 1) % 6"),
    "a comment is lost": lambda s: run_sql(s, "DELETE FROM comments WHERE seq = (SELECT max(seq) FROM comments)"),
    "a status is an older one": lambda s: run_sql(
        s, "UPDATE tasks SET status_id = (SELECT id FROM task_statuses WHERE code = 'done')"),
    "an approval is lost": lambda s: run_sql(
        s, "UPDATE tasks SET approved_take_id = (SELECT min(id) FROM takes)"),
    "a drawing is lost": lambda s: run_sql(s, "DELETE FROM annotations WHERE id = (SELECT max(id) FROM annotations)"),
    "a layer is lost": lambda s: run_sql(
        s, "DELETE FROM take_files WHERE take_id = (SELECT max(take_id) FROM take_files)"),
    "a casting is an older one": lambda s: run_sql(s, "UPDATE castings SET count = count - 1"),
    "a canvas is an older one": lambda s: run_sql(s, "UPDATE canvases SET document = '{\"undo\":0}'"),
    "a withdrawn take is back": lambda s: run_sql(
        s, "UPDATE takes SET withdrawn_at = NULL, purged_at = NULL WHERE withdrawn_at IS NOT NULL"),
    "a row refers to nothing": lambda s: run_sql(s, "UPDATE approvals SET person_id = 'nobody'"),
    "a temporary file is left": lambda s: (
        s / "shows" / SHOW / "files" / ".ab.0123abcd-999999999-1.partial").write_bytes(b"x"),
    "a journal is left": lambda s: (s / "spool" / "x-0.journal").write_bytes(b"x"),
}  # fmt: skip


def try_all(studio: pathlib.Path, full_checks: Callable[[pathlib.Path], list[str]]) -> tuple[dict, list[str]]:
    """Returns what was found of each damage, and the names of what was not."""
    found, missed = {}, []
    for name, damage in SABOTAGE.items():
        with tempfile.TemporaryDirectory(prefix="maquette_sabotage_") as scratch:
            copy = pathlib.Path(scratch) / "studio"
            shutil.copytree(studio, copy)
            damage(copy)
            try:
                lines = full_checks(copy)
            except sqlite3.DatabaseError as problem:
                lines = [f"the database cannot be read: {problem}"]
        if lines:
            found[name] = lines[0]
        else:
            missed.append(name)
    return found, missed
