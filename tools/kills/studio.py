"""A studio that is started, asked, killed and started again; its database, read from beside it."""

import csv
import http.client
import io
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import threading
import time

ANSWER_SECONDS = 60
START_SECONDS = 60


class Gone(Exception):
    """The server was killed before it answered: what was asked has happened, or has not."""


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, method: str, path: str, status: int, body: bytes):
        super().__init__(f"{method} {path}: {status} {body[:300].decode(errors='replace')}")
        self.status = status


class Stopped(Exception):
    """The campaign is over."""


# --- the server --------------------------------------------------------------------------------------------


class Studio:
    """`maquette serve` on one folder. People wait in ask() while it is away."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, database: str, workers: int):
        self.program, self.folder, self.database, self.workers = program, folder, database, workers
        self.process: subprocess.Popen | None = None
        self.generation = 0
        self.open = False  # people may ask
        self.over = False
        self.changed = threading.Condition()
        self.port, self.csrf = 0, ""

    @property
    def spool(self) -> pathlib.Path:
        return self.folder / "spool"

    def launch(self) -> None:
        command = [str(self.program), "serve", "--single-user", "--port", "0", "--json", "--threads", "1"]
        command += ["--studio", str(self.folder), "--workers", str(self.workers)]
        command += ["--db", self.database] if self.database else []
        with open(self.folder.parent / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def start(self) -> None:
        """Starts the server and waits until it answers; people do not see it yet."""
        self.launch()
        begin = time.monotonic()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server does not start: exit status {self.process.wait()}, see server.log")
        self.port = int(json.loads(line)["address"].rstrip("/").rsplit(":", 1)[1])
        self.csrf = ""
        self.csrf = json.loads(self.request("GET", "/me"))["csrf"]
        if time.monotonic() - begin > START_SECONDS:
            raise RuntimeError("the server takes too long to start")

    def let_people_in(self) -> None:
        with self.changed:
            self.generation += 1
            self.open = True
            self.changed.notify_all()

    def keep_people_out(self, over: bool = False) -> None:
        with self.changed:
            self.open = False
            self.over = self.over or over
            self.changed.notify_all()

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            headers = {"Content-Type": kind} if kind else {}
            if self.csrf:
                headers["X-CSRF-Token"] = self.csrf
            connection.request(method, "/api/v1" + path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            if reply.status >= 300:
                raise Refused(method, path, reply.status, content)
            return content
        finally:
            connection.close()

    def ask(self, method: str, path: str, body=None, raw: bytes | None = None) -> dict:
        """For people: waits while the server is away. Throws Gone where it was killed before it answered."""
        with self.changed:
            self.changed.wait_for(lambda: self.open or self.over)
            if self.over:
                raise Stopped
            generation = self.generation
        content = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        kind = "application/octet-stream" if raw is not None else "application/json" if body is not None else ""
        try:
            return json.loads(self.request(method, path, content, kind) or b"null")
        except (OSError, http.client.HTTPException) as problem:
            with self.changed:
                if not self.open or self.generation != generation:
                    raise Gone from problem
            raise RuntimeError(f"{method} {path}: the server, which nobody killed, did not answer: {problem!r}")

    def processes_below(self) -> list[int]:
        """Its workers."""
        found = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                pass  # the thread ended meanwhile
        return found

    def kill(self, also: list[int] = ()) -> None:
        self.keep_people_out()
        for process in [self.process.pid, *also]:
            kill(process)
        self.process.wait()
        self.process.stdout.close()

    def end(self) -> int:
        self.keep_people_out()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=ANSWER_SECONDS)
        self.process.stdout.close()
        return status


def kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def writing_worker(studio: Studio, seconds: float, chance: random.Random) -> int | None:
    """A worker that has a file half written: its number stands in the temporary name."""
    workers = {str(number) for number in studio.processes_below()}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in os.listdir(studio.spool):
            parts = name.rsplit(".partial", 1)[0].rsplit(".", 1)[-1].split("-")
            if ".partial" in name and len(parts) == 3 and parts[1] in workers:
                time.sleep(chance.uniform(0, 0.002))
                return int(parts[1])
    return None


# --- the database ------------------------------------------------------------------------------------------


class Rows:
    """Statements on the studio's database. All values are texts, NULL is the empty one: so both kinds say the same."""

    def __init__(self, folder: pathlib.Path, database: str):
        self.file = folder / "studio.db"
        self.url = database

    @property
    def is_sqlite(self) -> bool:
        return not self.url.startswith("postgres")

    def __call__(self, statement: str) -> list[dict[str, str]]:
        if not self.is_sqlite:
            answer = subprocess.run(
                ["psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", statement],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            csv.field_size_limit(1 << 30)
            return list(csv.DictReader(io.StringIO(answer.stdout)))
        connection = sqlite3.connect(self.file, timeout=30)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only=ON")
            answer = connection.execute(statement).fetchall()
            return [{k: "" if row[k] is None else str(row[k]) for k in row.keys()} for row in answer]
        finally:
            connection.close()


def fresh_database(server: str, name: str) -> str:
    """Makes a database on a PostgreSQL server; returns its address."""
    subprocess.run(["psql", "-X", "-q", "-d", server, "-c", f"CREATE DATABASE {name}"], check=True)
    head, _, query = server.partition("?")
    return head.rsplit("/", 1)[0] + "/" + name + ("?" + query if query else "")
