#!/usr/bin/env python3
"""Measures a studio's server under a studio's load: people with the page open (event streams) while others read and
write. Starts a server of its own on a fresh studio.

    bench/studio/load.py --maquette build/release/src/cli/maquette
    bench/studio/load.py --maquette ... --listeners 200 --rate 50 --seconds 60 --db postgresql://...

Requests start at their times, however slow the ones before them are; each one's time counts from there. Every
listener must hear every event of the log. Exits with 1 where an answer is an error or an event is missing.
"""
import argparse
import asyncio
import json
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib


def png(seed, side=256):
    """A picture of soft stripes, 8 bits grey."""
    rows = b"".join(b"\0" + bytes((x * seed + y * 3) % 256 for x in range(side)) for y in range(side))
    part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b""))


class Connection:
    """One kept-alive connection."""

    def __init__(self, port, csrf=""):
        self.port, self.csrf, self.reader = port, csrf, None

    async def ask(self, method, path, body=None):
        """Asks once more on a new connection where the server had closed this one: it does so with idle ones."""
        kept = self.reader is not None
        try:
            return await self.exchange(method, path, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.reader = None
            if not kept:
                raise
            return await self.exchange(method, path, body)

    async def exchange(self, method, path, body):
        if self.reader is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        self.writer.write(f"{method} /api/v1{path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nContent-Type: {kind}\r\n"
                          f"X-CSRF-Token: {self.csrf}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        return int(head[9:12]), await self.reader.readexactly(length)

    async def document(self, method, path, body=None):
        status, answer = await self.ask(method, path, body)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {answer[:300]}")
        return json.loads(answer)


async def listen(port, heard, ready):
    """Reads one event stream; `heard` gets the numbers of the events."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    ready.release()
    pending = None
    while line := await reader.readline():
        if line.startswith(b"id: "):
            pending = int(line[4:])
        elif line.startswith(b"data: ") and pending is not None:
            heard.add(pending)
            pending = None


async def make_show(people):
    show = await people.document("POST", "/shows", {"code": "load", "name": "Load"})
    tasks, takes = [], []
    for i in range(60):
        await people.document("POST", f"/shows/{show['id']}/shots", {"code": f"sh{i:03}0"})
        task = await people.document("POST", f"/entities/load%2Fsh{i:03}0/tasks", {"task_type": "background"})
        tasks.append(task["id"])
        for j in range(3):
            take = await people.document("POST", f"/tasks/{task['id']}/takes", png(1 + 3 * i + j))
            takes.append(take["id"])
    return show["id"], tasks, takes


def one_request(choice, show, tasks, takes):
    task, take = choice.choice(tasks), choice.choice(takes)
    return choice.choices(
        [("GET", f"/shows/{show}/board", None), ("GET", f"/tasks/{task}", None), ("GET", f"/tasks/{task}/takes", None),
         ("GET", f"/shows/{show}/takes?search=sh0", None), ("GET", f"/takes/{take}/thumbnail", None),
         ("GET", f"/tasks/{task}/comments", None), ("PUT", f"/takes/{take}/mark", {"stars": choice.randint(1, 5)}),
         ("POST", f"/tasks/{task}/comments", {"text": "warmer, please"}),
         ("POST", f"/tasks/{task}/takes", png(choice.randint(1, 10**6)))],
        weights=[10, 15, 15, 5, 20, 10, 12, 8, 5])[0]


async def measure(port, options):
    people = Connection(port)
    people.csrf = (await people.document("GET", "/me"))["csrf"]
    show, tasks, takes = await make_show(people)
    heard, ready = [set() for _ in range(options.listeners)], asyncio.Semaphore(0)
    listeners = [asyncio.create_task(listen(port, h, ready)) for h in heard]
    for _ in listeners:
        await ready.acquire()
    events = lambda: people.document("GET", "/events?limit=1")
    first = (await events())["items"][0]["seq"]

    choice, times, wrong = random.Random(1), {"GET": [], "change": []}, []
    free = [Connection(port, people.csrf) for _ in range(options.rate)]

    async def at(due):
        await asyncio.sleep(max(0, due - time.monotonic()))
        connection = free.pop() if free else Connection(port, people.csrf)
        method, path, body = one_request(choice, show, tasks, takes)
        status, answer = await connection.ask(method, path, body)
        times["GET" if method == "GET" else "change"].append(1000 * (time.monotonic() - due))
        if status >= 300:
            wrong.append((status, method, path, answer[:200]))
        free.append(connection)

    begin = time.monotonic() + 0.5
    await asyncio.gather(*(at(begin + i / options.rate) for i in range(options.rate * options.seconds)))
    last = (await events())["items"][0]["seq"]
    wanted = set(range(first + 1, last + 1))
    for _ in range(100):  # ten seconds to hear the last ones
        if all(wanted <= h for h in heard):
            break
        await asyncio.sleep(0.1)
    missing = sum(len(wanted - h) for h in heard)
    for listener in listeners:
        listener.cancel()
    return times, wrong, len(wanted), missing


def line(name, values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(len(values) * share))]
    print(f"{name:<12} {len(values):>6} requests: median {at(0.5):.1f} ms, 95th percentile {at(0.95):.1f} ms, "
          f"longest {values[-1]:.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maquette", required=True)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--rate", type=int, default=50, help="requests a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--db", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [options.maquette, "serve", "--studio", folder, "--single-user", "--port", "0", "--workers", "0"]
        server = subprocess.Popen(command + (["--db", options.db] if options.db else []), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        try:
            for said in server.stdout:
                if found := re.search(r"http://[^/\s]*:(\d+)", said):
                    break
            else:
                raise SystemExit("the server did not start")
            times, wrong, events, missing = asyncio.run(measure(int(found.group(1)), options))
        finally:
            server.terminate()
            server.wait()
    print(f"{options.listeners} listeners, {options.rate} requests a second for {options.seconds} s, {events} events, "
          f"{missing} of {events * options.listeners} not heard, {len(wrong)} errors")
    line("all", times["GET"] + times["change"])
    line("reading", times["GET"])
    line("changing", times["change"])
    for one in wrong[:5]:
        print(*one)
    sys.exit(1 if wrong or missing else 0)


if __name__ == "__main__":
    main()
