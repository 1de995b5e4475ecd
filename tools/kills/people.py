"""People at work: threads that ask the studio for changes, and write every acknowledged one into the ledger.

Everybody works on a shot of their own, so that each knows in which order things happened to it.
"""

import hashlib
import json
import random
import struct
import threading
import time
import urllib.parse
import zlib

from kills.ledger import Ledger
from kills.studio import Gone, Refused, Stopped, Studio

SHOW = "kills"
STATUSES = ["todo", "wip", "wfa", "retake", "ready"]
MOST_OPEN_JOBS = 2  # of a painter


def quoted(reference: str) -> str:
    return urllib.parse.quote(reference, safe="")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(chance: random.Random, width: int, height: int) -> bytes:
    """A PNG of noise: no two are alike."""
    rows = b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Person(threading.Thread):
    def __init__(self, studio: Studio, ledger: Ledger, name: str, seed: int):
        super().__init__(name=name, daemon=True)
        self.studio, self.ledger = studio, ledger
        self.chance = random.Random(seed)
        self.shot = self.task = ""
        self.count = 0

    def run(self) -> None:
        try:
            self.settle_in()
            while True:
                try:
                    self.work()
                except Gone:
                    pass  # counted where it was asked
        except Stopped:
            pass
        except (Refused, RuntimeError) as problem:
            self.ledger.problem(f"{self.name}: {problem}")

    def work(self) -> None:
        raise NotImplementedError

    # --- asking ---

    def change(self, kind: str, method: str, path: str, body=None, raw=None, event=("", ""), fact=None, value=""):
        """Asks for a change, and writes into the ledger what came of it. Returns the answer."""
        if fact:
            self.ledger.intend(fact, value)
        try:
            answer = self.studio.ask(method, path, body, raw)
        except Gone:
            self.ledger.not_answered(*event)
            raise
        self.ledger.acknowledged(kind, *event)
        if fact:
            self.ledger.settle(fact, value)
        return answer

    def one_of_a_kind(self, word: str) -> str:
        self.count += 1
        return f"{word} {self.name} {self.count}"

    def settle_in(self) -> None:
        """Makes the person's own shot and task, however often the server goes away meanwhile."""
        path = f"{SHOW}/{self.name}"
        self.again(lambda: self.studio.ask("GET", f"/entities/{quoted(path)}"),
                   lambda: self.change("shots", "POST", f"/shows/{SHOW}/entities", {"kind": "shot", "code": self.name}))  # fmt: skip
        self.shot = self.again(lambda: self.studio.ask("GET", f"/entities/{quoted(path)}"))["id"]
        self.ledger.made("entities", self.shot, code=self.name, kind="shot")
        reference = quoted(f"{path}:background")
        body = {"task_type": "background", "brief": "dawn, sea"}
        self.again(lambda: self.studio.ask("GET", f"/tasks/{reference}"),
                   lambda: self.change("tasks", "POST", f"/entities/{self.shot}/tasks", body))  # fmt: skip
        self.task = self.again(lambda: self.studio.ask("GET", f"/tasks/{reference}"))["id"]
        self.ledger.made("tasks", self.task, brief="dawn, sea")

    def again(self, look, make=None):
        """What `look` finds; where there is nothing, after `make`."""
        while True:
            try:
                return look()
            except Gone:
                continue
            except Refused as problem:
                if problem.status != 404 or make is None:
                    raise
            try:
                return make()
            except Gone:
                continue


class Artist(Person):
    """Brings in pictures, edits them, marks, comments, approves, draws, casts, saves the canvas."""

    def settle_in(self) -> None:
        super().settle_in()
        self.takes: list[str] = []
        self.asset = f"asset-{self.name}"
        path = quoted(f"{SHOW}/{self.asset}")
        body = {"kind": "asset", "code": self.asset, "asset_type": "prop"}
        self.again(lambda: self.studio.ask("GET", f"/entities/{path}"),
                   lambda: self.change("assets", "POST", f"/shows/{SHOW}/entities", body))  # fmt: skip

    def work(self) -> None:
        everything = [
            self.import_take, self.import_take, self.edit_take, self.upload, self.mark, self.comment, self.approve,
            self.unapprove, self.annotate, self.cast, self.save_canvas, self.withdraw, self.purge, self.rename,
        ]  # fmt: skip
        self.chance.choice(everything)()
        time.sleep(self.chance.uniform(0, 0.02))

    def new_picture(self) -> bytes:
        return picture(self.chance, self.chance.randint(16, 96), self.chance.randint(16, 96))

    def upload(self, content: bytes | None = None) -> str:
        content = content or self.new_picture()
        sha256 = hashlib.sha256(content).hexdigest()
        answer = self.change("uploads", "POST", f"/shows/{SHOW}/uploads", raw=content, event=("file:upload", sha256))
        if answer["sha256"] != sha256:
            self.ledger.problem(f"an upload of {sha256} is called {answer['sha256']}")
        self.ledger.made("files", sha256, bytes=len(content))
        return sha256

    def file_take(self, origin: str, more: str = "") -> str:
        content = self.new_picture()
        title = self.one_of_a_kind("a picture by")
        path = f"/tasks/{self.task}/takes?origin={origin}&title={quoted(title)}{more}"
        take = self.change(f"{origin} takes", "POST", path, raw=content)
        self.ledger.made("takes", take["id"], sha256=hashlib.sha256(content).hexdigest(), origin=origin,
                         number=take["number"], revision=take["revision"])  # fmt: skip
        self.ledger.settle(("title", take["id"]), title)
        self.ledger.settle(("withdrawn", take["id"]), "no")
        self.takes.append(take["id"])
        return take["id"]

    def import_take(self) -> None:
        self.file_take("imported")

    def edit_take(self) -> None:
        if not self.takes:
            return
        layer = self.upload()
        strokes = self.upload(json.dumps({"strokes": [self.chance.random() for _ in range(50)]}).encode())
        take = self.file_take("edited", f"&parent={self.chance.choice(self.takes)}&relation=source")
        for representation, sha256 in (("layer", layer), ("strokes", strokes)):
            path = f"/takes/{take}/files/{representation}/{representation}-1"
            self.change("files of takes", "PUT", path, {"sha256": sha256}, event=("take:file-add", take))
            self.ledger.made("take_files", f"{take}/{representation}/{representation}-1", sha256=sha256)

    def some_take(self, withdrawn: str = "no") -> str | None:
        known = [take for take in self.takes if self.ledger.allowed("withdrawn", take) == [withdrawn]]
        return self.chance.choice(known) if known else None

    def mark(self) -> None:
        if not (take := self.some_take()):
            return
        stars, verdict = self.chance.randint(0, 5), self.chance.choice(["neutral", "validated", "rejected"])
        self.change("marks", "PUT", f"/takes/{take}/mark", {"stars": stars, "verdict": verdict},
                    event=("take:mark", take), fact=("mark", take), value=f"{stars} {verdict}")  # fmt: skip

    def rename(self) -> None:
        if not (take := self.some_take()):
            return
        title = self.one_of_a_kind("renamed by")
        self.change("titles", "PATCH", f"/takes/{take}", {"title": title}, event=("take:update", take),
                    fact=("title", take), value=title)  # fmt: skip

    def comment(self) -> None:
        text, status = self.one_of_a_kind("said by"), self.chance.choice(STATUSES)
        self.change("comments", "POST", f"/tasks/{self.task}/comments", {"text": text, "status": status},
                    event=("comment:new", self.task), fact=("status", self.task), value=status)  # fmt: skip
        self.ledger.made("comments", text, task_id=self.task)

    def approve(self) -> None:
        take = self.some_take()
        if not take or take in self.ledger.allowed("approved", self.task):
            return
        self.change("approvals", "POST", f"/takes/{take}/approve", {"reason": "the best"},
                    event=("take:approve", take), fact=("approved", self.task), value=take)  # fmt: skip

    def unapprove(self) -> None:
        now = self.ledger.allowed("approved", self.task)
        if len(now) == 1 and now[0]:
            self.change("approvals", "POST", f"/tasks/{self.task}/unapprove", {"reason": "not quite"},
                        event=("take:unapprove", now[0]), fact=("approved", self.task), value="")  # fmt: skip

    def annotate(self) -> None:
        if not (take := self.some_take()):
            return
        note = self.one_of_a_kind("drawn by")
        drawing = [{"kind": "path", "points": [[0.1, 0.2, 0.5], [0.6, self.chance.random(), 1.0]], "width": 0.01}]
        drawn = self.change("annotations", "POST", f"/takes/{take}/annotations", {"drawing": drawing, "note": note},
                            event=("take:annotate", take))  # fmt: skip
        self.ledger.made("annotations", drawn["id"], note=note)

    def cast(self) -> None:
        self.count += 1
        asset = quoted(f"{SHOW}/{self.asset}")
        self.change("castings", "PUT", f"/entities/{self.shot}/casting/{asset}", {"count": self.count},
                    event=("shot:casting-update", self.shot), fact=("cast", self.shot), value=str(self.count))  # fmt: skip

    def save_canvas(self) -> None:
        self.count += 1
        self.change("canvases", "PUT", f"/tasks/{self.task}/canvas", {"document": {"undo": self.count}},
                    fact=("canvas", self.task), value=str(self.count))  # fmt: skip

    def withdraw(self) -> None:
        take = self.some_take()
        if not take or take in self.ledger.allowed("approved", self.task):
            return
        self.change("withdrawals", "POST", f"/takes/{take}/withdraw", {"reason": "a mistake"},
                    event=("take:withdraw", take), fact=("withdrawn", take), value="yes")  # fmt: skip

    def purge(self) -> None:
        if take := self.some_take("yes"):
            self.change("purges", "POST", f"/takes/{take}/purge", {"reason": "the space is needed"},
                        event=("take:purge", take), fact=("withdrawn", take), value="purged")  # fmt: skip


class Painter(Person):
    """Orders pictures of several seeds, and waits until they are made; cancels one now and then."""

    def settle_in(self) -> None:
        super().settle_in()
        self.open: list[str] = []
        self.seed = 1000 * self.chance.randint(1, 10**9)

    def work(self) -> None:
        if len(self.open) < MOST_OPEN_JOBS:
            self.order()
        self.look()
        time.sleep(0.05)

    def order(self) -> None:
        self.seed += 1000
        sampler = self.chance.choice(["euler", "euler-a", "dpm++2m"])
        recipe = {"model": "starter", "prompt": "dawn, sea", "width": 64, "height": 64, "cfg": 1, "seed": self.seed,
                  "steps": self.chance.randint(6, 30), "sampler": sampler}  # fmt: skip
        count = self.chance.randint(1, 5)
        job = self.change("jobs", "POST", f"/tasks/{self.task}/jobs", {"recipe": recipe, "count": count})
        self.ledger.made("jobs", job["id"], count=count)
        self.ledger.settle(("job", job["id"]), "done")
        self.open.append(job["id"])
        if self.chance.random() < 0.08:
            time.sleep(self.chance.uniform(0, 0.5))
            self.ledger.intend(("job", job["id"]), "canceled")
            self.change("cancels", "POST", f"/jobs/{job['id']}/cancel", {})

    def look(self) -> None:
        for job in list(self.open):
            state = self.studio.ask("GET", f"/jobs/{job}")["state"]
            if state in ("done", "canceled"):
                self.open.remove(job)
            elif state == "failed":
                # Three workers in a row were killed before they made a step: somebody tries again.
                self.change("retries", "POST", f"/jobs/{job}/retry", {})
