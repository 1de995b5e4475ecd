"""Holds answers of the server against the OpenAPI document; run by tools/check_api, in its environment.

  judge_answers.py DOCUMENT ANSWERS    ANSWERS: lines of {"method", "path", "status", "body"}

The document is one test, and so is every operation of which an answer came.
"""

import collections
import json
import pathlib
import sys

import jsonschema
import openapi_spec_validator

DIALECT = jsonschema.Draft202012Validator


def entry_of(document: dict, method: str, path: str) -> tuple[str, dict] | None:
    """The pattern and the entry of the address; words come before parameters."""
    segments = path.strip("/").split("/")
    found = []
    for pattern, methods in document["paths"].items():
        words = pattern.strip("/").split("/")
        if len(words) != len(segments) or method.lower() not in methods:
            continue
        if all(word.startswith("{") or word == segment for word, segment in zip(words, segments)):
            found.append((sum(not word.startswith("{") for word in words), pattern))
    if not found:
        return None
    pattern = max(found)[1]
    return pattern, document["paths"][pattern][method.lower()]


def resolved(document: dict, node: dict) -> dict:
    while "$ref" in node:
        place = document
        for word in node["$ref"].lstrip("#/").split("/"):
            place = place[word]
        node = place
    return node


def problem_of(document: dict, entry: dict, answer: dict) -> str | None:
    status = str(answer["status"])
    response = entry["responses"].get(status) or entry["responses"].get(status[0] + "XX")
    if response is None:
        return f"the status {status} is not documented"
    content = resolved(document, response).get("content", {})
    if "application/json" not in content:
        return f"{status}: no JSON is documented"
    # The components go along, so that references inside of the schema lead somewhere.
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    error = jsonschema.exceptions.best_match(DIALECT(schema).iter_errors(answer["body"]))
    return f"{status}: {error.json_path}: {error.message[:300]}" if error else None


def main() -> int:
    document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        openapi_spec_validator.validate(document)
    except Exception as problem:
        print(f"the document is not OpenAPI 3.1: {problem}\n0 passed, 1 failed")
        return 1
    problems: dict[str, list[str]] = collections.defaultdict(list)
    count = 0
    for line in pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)
        found = entry_of(document, answer["method"], answer["path"])
        if found is None:
            continue  # an address that there is not: refused as such
        name = f"{answer['method']} {found[0]}"
        problem = problem_of(document, found[1], answer)
        problems[name] += [problem] if problem else []
        count += 1
    failed = {name: list(dict.fromkeys(all_of_it)) for name, all_of_it in problems.items() if all_of_it}
    for name, all_of_it in failed.items():
        print(f"{name}\n  " + "\n  ".join(all_of_it[:5]))
    # A run that saw little has checked little.
    operations = sum(len(methods) for methods in document["paths"].values())
    if len(problems) < operations * 0.85:
        print(f"only {len(problems)} of {operations} operations were answered in JSON")
        failed["coverage"] = []
    print(f"{count} answers of {len(problems)} operations")
    print(f"{1 + len(problems) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
