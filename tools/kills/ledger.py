"""The ledger: what the studio acknowledged, kept outside of it. The campaign holds the studio to this."""

import collections
import threading


class Ledger:
    """Three kinds of facts:

    rows    what was made, by table and id: it must be there, with these columns
    values  what is changed again and again (a mark, a status): the last acknowledged value, or one of those that
            were asked for after it and never answered
    events  how often something was acknowledged, and how often perhaps done: bounds for the lines in the event log
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.rows: dict[tuple[str, str], dict[str, str]] = {}
        self.fresh: list[tuple[str, str]] = []  # rows since the last check
        self.values: dict[tuple[str, str], list[str]] = {}
        self.sure: collections.Counter = collections.Counter()
        self.perhaps: collections.Counter = collections.Counter()
        self.kinds: collections.Counter = collections.Counter()  # acknowledged changes, for the report
        self.unanswered = 0
        self.problems: list[str] = []

    def made(self, table: str, id: str, **columns) -> None:
        with self.lock:
            self.rows[table, id] = {name: str(value) for name, value in columns.items()}
            self.fresh.append((table, id))

    def take_fresh(self) -> list[tuple[str, str]]:
        with self.lock:
            fresh, self.fresh = self.fresh, []
            return fresh

    def intend(self, fact: tuple[str, str], value: str) -> None:
        with self.lock:
            self.values.setdefault(fact, [""]).append(value)

    def settle(self, fact: tuple[str, str], value: str) -> None:
        with self.lock:
            self.values[fact] = [value]

    def allowed(self, kind: str, id: str) -> list[str]:
        with self.lock:
            return list(self.values.get((kind, id), [""]))

    def acknowledged(self, kind: str, action: str, subject: str) -> None:
        with self.lock:
            self.kinds[kind] += 1
            if action:
                self.sure[action, subject] += 1

    def not_answered(self, action: str, subject: str) -> None:
        with self.lock:
            self.unanswered += 1
            if action:
                self.perhaps[action, subject] += 1

    def problem(self, text: str) -> None:
        with self.lock:
            self.problems.append(text)
