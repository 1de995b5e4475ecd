#!/usr/bin/env python3
"""Judges what tlog_test wrote (argument 1: its folder) with pymerkle and cryptography, then has a log that these two
wrote judged by maquette-verify-log (argument 2). Called by tools/check_log, which makes both.

pymerkle takes its consistency proofs apart in another way than RFC 6962: it decides whether our roots are consistent,
and its subtree hashes, put together as section 2.1.2 of the RFC says, must be exactly our proofs.
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pymerkle import InmemoryTree, verify_consistency, verify_inclusion
from pymerkle.proof import InclusionProof

LARGEST = 257
FOREIGN_SIZE = 600
WIDTH = 256
BAD = 5  # docs/exit-codes.md

passed = 0
failed = 0


def check(name: str, good: bool, found: object = "") -> None:
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {found}")


def tree_of(entries: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    return tree


def lines_of(path: pathlib.Path):
    with open(path, encoding="ascii") as file:
        for line in file:
            yield json.loads(line)


def hashes_of(record: dict) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in record["proof"]]


# --- all pairs -------------------------------------------------------------------------------------------


def judge_inclusion(folder: pathlib.Path, tree: InmemoryTree, roots: list[bytes]) -> None:
    bad = []
    count = 0
    for record in lines_of(folder / "inclusion.jsonl"):
        index, size, hashes = record["index"], record["size"], hashes_of(record)
        rule = tree.prove_inclusion(index + 1, size).rule
        leaf = tree.get_leaf(index + 1)
        proof = InclusionProof("sha256", True, size, index + 1, rule, [leaf] + hashes)
        count += 1
        try:
            verify_inclusion(leaf, roots[size], proof, index=index + 1, size=size)
        except Exception as error:  # of any kind: each is one bad proof
            bad.append((index, size, repr(error)))
    check("every inclusion proof is one for pymerkle", not bad, bad[:3])
    check("inclusion proofs of all pairs", count == LARGEST * (LARGEST + 1) // 2, count)


def subproof(tree: InmemoryTree, old: int, begin: int, end: int, whole: bool) -> list[bytes]:
    """RFC 6962, section 2.1.2: SUBPROOF(old, D[begin:end], whole)."""
    size = end - begin
    if old == size:
        return [] if whole else [tree._get_root(begin, end)]
    split = 1 << ((size - 1).bit_length() - 1)
    if old <= split:
        return subproof(tree, old, begin, begin + split, whole) + [tree._get_root(begin + split, end)]
    return subproof(tree, old - split, begin + split, end, False) + [tree._get_root(begin, begin + split)]


def judge_consistency(folder: pathlib.Path, tree: InmemoryTree, roots: list[bytes]) -> None:
    other, inconsistent = [], []
    count = 0
    for record in lines_of(folder / "consistency.jsonl"):
        old, size = record["old"], record["size"]
        count += 1
        if hashes_of(record) != subproof(tree, old, 0, size, True):
            other.append((old, size))
        try:
            verify_consistency(roots[old], roots[size], tree.prove_consistency(old, size))
        except Exception as error:
            inconsistent.append((old, size, repr(error)))
    check("every consistency proof is that of the RFC over pymerkle's hashes", not other, other[:3])
    check("pymerkle finds all our roots consistent", not inconsistent, inconsistent[:3])
    check("consistency proofs of all pairs", count == LARGEST * (LARGEST + 1) // 2, count)


# --- a log -----------------------------------------------------------------------------------------------


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def open_note(note: bytes, vkey: str) -> list[str]:
    """The lines of a checkpoint whose signature cryptography accepts; raises where it does not."""
    name, identifier, key = vkey.split("+", 2)
    public = base64.b64decode(key, validate=True)
    assert public[0] == 1 and key_id(name, public[1:]).hex() == identifier, "the id is not that of the key"
    text, signatures = note.decode().rsplit("\n\n", 1)
    dash, signer, signature = signatures.rstrip("\n").split(" ")
    raw = base64.b64decode(signature, validate=True)
    assert dash == "\u2014" and signer == name and raw[:4].hex() == identifier, "another signer"
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], text.encode() + b"\n")
    return text.split("\n")


def bundle_entries(data: bytes) -> list[bytes]:
    entries = []
    while data:
        size = int.from_bytes(data[:2], "big")
        entries.append(data[2 : 2 + size])
        data = data[2 + size :]
    return entries


def judge_log(folder: pathlib.Path, vkey: str) -> None:
    log = folder / "lanterns"
    note = (log / "checkpoint").read_bytes()
    origin, size, root = open_note(note, vkey)
    check("the checkpoint names its key's log", origin == vkey.split("+")[0], origin)
    entries = []
    for name in ("tile/entries/000", "tile/entries/001.p/44"):
        entries += bundle_entries((log / name).read_bytes())
    tree = tree_of(entries)
    check("the bundles hold as many entries as the checkpoint says", len(entries) == int(size), len(entries))
    check("their root is the signed one", tree.get_root() == base64.b64decode(root), root)
    leaves = b"".join(tree.get_leaf(i + 1) for i in range(len(entries)))
    check("tile 0 holds 256 leaves", (log / "tile/0/000").read_bytes() == leaves[: WIDTH * 32])
    check("its neighbour the others", (log / "tile/0/001.p/44").read_bytes() == leaves[WIDTH * 32 :])
    check("the tile above holds the first one's root", (log / "tile/1/000.p/1").read_bytes() == tree.get_root(WIDTH))

    older_size, older_root = open_note((folder / "older").read_bytes(), vkey)[1:]
    check("the older checkpoint is of the same log", tree.get_root(int(older_size)) == base64.b64decode(older_root))
    changed = note.replace(b"\n300\n", b"\n301\n")
    try:
        open_note(changed, vkey)
        check("a changed checkpoint is refused", False, changed)
    except InvalidSignature:
        check("a changed checkpoint is refused", changed != note)

    for path in sorted(folder.glob("*.tlog-proof")):
        first, index, *hashes = path.read_text().split("\n\n", 1)[0].split("\n")
        place = int(index.removeprefix("index "))
        leaf = tree.hash_buff(path.with_suffix(".entry").read_bytes())
        rule = tree.prove_inclusion(place + 1).rule
        proof = InclusionProof("sha256", True, 300, place + 1, rule, [leaf] + [base64.b64decode(h) for h in hashes])
        verify_inclusion(leaf, base64.b64decode(root), proof, index=place + 1, size=300)
        same_checkpoint = path.read_bytes().endswith(b"\n\n" + note)
        check(f"{path.name} proves its entry", first == "c2sp.org/tlog-proof@v1" and same_checkpoint)


# --- a log by others, judged by us -----------------------------------------------------------------------


def write_foreign_log(log: pathlib.Path, tree: InmemoryTree, entries: list[bytes]) -> str:
    """Tiles and checkpoint as pymerkle and cryptography make them; returns the verifier key."""

    def put(name: str, data: bytes) -> None:
        path = log / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    for begin in range(0, len(entries), WIDTH):
        end = min(begin + WIDTH, len(entries))
        name = f"{begin // WIDTH:03}" + ("" if end - begin == WIDTH else f".p/{end - begin}")
        put(f"tile/entries/{name}", b"".join(len(e).to_bytes(2, "big") + e for e in entries[begin:end]))
        put(f"tile/0/{name}", b"".join(tree.get_leaf(i + 1) for i in range(begin, end)))
    full = len(entries) // WIDTH
    put(f"tile/1/000.p/{full}", b"".join(tree._get_root(i * WIDTH, (i + 1) * WIDTH) for i in range(full)))

    name = "elsewhere.example/log"
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = f"{name}\n{len(entries)}\n{base64.b64encode(tree.get_root()).decode()}\n"
    signature = base64.b64encode(key_id(name, public) + key.sign(text.encode())).decode()
    put("checkpoint", f"{text}\n\u2014 {name} {signature}\n".encode())
    return "+".join([name, key_id(name, public).hex(), base64.b64encode(b"\x01" + public).decode()])


def judge_verifier(folder: pathlib.Path, verifier: pathlib.Path, vkey: str) -> None:
    def ask(*arguments: object) -> tuple[int, dict]:
        run = subprocess.run([verifier, *arguments, "--json"], capture_output=True, text=True)
        return run.returncode, json.loads(run.stdout)

    code, answer = ask(folder / "lanterns", "--key", vkey, "--older", folder / "older")
    check("the verifier accepts our log", code == 0 and answer["holds"] and answer["continues"] == 120, answer)

    entries = [f"foreign {i}".encode() * (i % 40) for i in range(FOREIGN_SIZE)]
    tree = tree_of(entries)
    foreign_key = write_foreign_log(folder / "foreign", tree, entries)
    code, answer = ask(folder / "foreign", "--key", foreign_key)
    check("the verifier accepts another program's log", code == 0 and answer["entries"] == FOREIGN_SIZE, answer)
    code, answer = ask(folder / "foreign", "--key", vkey)
    check("not with another key", code == BAD and not answer["holds"], answer)

    note = (folder / "foreign/checkpoint").read_text()
    for index in (0, 255, 256, 511, 512, 599):
        hashes = [base64.b64encode(h).decode() for h in tree.prove_inclusion(index + 1).path[1:]]
        proof = folder / f"foreign-{index}.tlog-proof"
        proof.write_text("\n".join(["c2sp.org/tlog-proof@v1", f"index {index}", *hashes]) + "\n\n" + note)
        entry = folder / f"foreign-{index}.entry"
        entry.write_bytes(entries[index])
        code, answer = ask("--proof", proof, "--entry", entry, "--key", foreign_key)
        check(f"the verifier accepts another program's proof of entry {index}", code == 0 and answer["holds"], answer)
        entry.write_bytes(entries[index] + b"x")
        code, answer = ask("--proof", proof, "--entry", entry, "--key", foreign_key)
        check(f"but not of another entry {index}", code == BAD and not answer["holds"], answer)

    bundle = folder / "foreign/tile/entries/001"
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    code, answer = ask(folder / "foreign", "--key", foreign_key)
    named = [problem["fields"].get("where") for problem in answer["problems"]]
    check("the verifier names the altered entry", code == BAD and named == ["entry 511 of the log"], answer)


def main() -> int:
    folder, verifier = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    vkey = (folder / "key").read_text().strip()
    tree = tree_of([f"entry {i}".encode() for i in range(LARGEST)])
    roots = [base64.b64decode(record["root"]) for record in lines_of(folder / "roots.jsonl")]
    others = [size for size, root in enumerate(roots) if root != tree.get_root(size)]
    check("roots of all sizes", len(roots) == LARGEST + 1 and not others, others[:3])
    judge_inclusion(folder, tree, roots)
    judge_consistency(folder, tree, roots)
    judge_log(folder, vkey)
    judge_verifier(folder, verifier, vkey)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
