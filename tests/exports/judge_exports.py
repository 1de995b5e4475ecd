"""Judges exported documents with the validators of their own forms, good ones and spoilt ones.

    judge_exports.py FOLDER

Each validator must also refuse a spoilt copy of each document: a judge that says yes to everything proves nothing.
"""

import json
import logging
import pathlib
import sys
import tempfile
from collections.abc import Callable

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import mlcroissant
from spdx_python_model import v3_0_1 as spdx


def cyclonedx(text: str) -> str | None:
    """What is wrong with a BOM of CycloneDX 1.7; None for nothing."""
    error = JsonStrictValidator(SchemaVersion.V1_7).validate_str(text)
    return None if error is None else str(error)[:300]


def spdx3(text: str) -> str | None:
    """What is wrong with SPDX 3.0.1 as JSON-LD: unknown names and values, wrong types, links that lead nowhere."""
    objects = spdx.SHACLObjectSet()
    try:
        spdx.JSONLDDeserializer().deserialize_data(json.loads(text), objects)
    except Exception as error:  # the library throws whatever it met
        return f"{type(error).__name__}: {error}"[:300]
    nowhere = objects.link()
    if nowhere:
        return f"links that lead nowhere: {sorted(nowhere)[:3]}"
    names = [type(each).__name__ for each in objects.objects]
    return None if "SpdxDocument" in names else f"no SpdxDocument among {sorted(set(names))}"


def croissant(text: str) -> str | None:
    """What mlcroissant calls an error; its warnings are about what the register does not know."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        try:
            mlcroissant.Dataset(jsonld=file.name)
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:300]
    return None


def spoil_cyclonedx(document: dict) -> None:
    document["metadata"]["component"]["type"] = "painting"


def spoil_spdx(document: dict) -> None:
    document["@graph"][0]["specVersion"] = 3
    document["@graph"][-1]["nonsense"] = "?"


def spoil_croissant(document: dict) -> None:
    del document["distribution"][0]["sha256"]
    document["@type"] = "sc:Person"


JUDGES: dict[str, tuple[Callable[[str], str | None], Callable[[dict], None]]] = {
    ".cdx.json": (cyclonedx, spoil_cyclonedx),
    ".spdx.json": (spdx3, spoil_spdx),
    ".croissant.json": (croissant, spoil_croissant),
}


def main() -> int:
    logging.disable(logging.WARNING)
    passed = failed = 0

    def count(good: bool, what: str) -> None:
        nonlocal passed, failed
        passed += good
        failed += not good
        print(f"{'ok   ' if good else 'FAIL '} {what}")

    for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        judge, spoil = next(judges for ending, judges in JUDGES.items() if file.name.endswith(ending))
        text = file.read_text(encoding="utf-8")
        wrong = judge(text)
        count(wrong is None, f"{file.name}" + (f": {wrong}" if wrong else ""))
        document = json.loads(text)
        spoil(document)
        count(judge(json.dumps(document)) is not None, f"{file.name}, spoilt, is refused")
    if passed + failed < 2 * len(JUDGES):
        count(False, "a document of each form")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
