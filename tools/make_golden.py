#!/usr/bin/env python3
"""Makes the parity fixtures under tests/golden with PyTorch, diffusers and transformers on the CPU in float32.

  tools/make_golden.py --list            names of all cases
  tools/make_golden.py                   makes everything
  tools/make_golden.py --only NAME...    makes the cases whose name contains one of NAME
  tools/make_golden.py --out DIR         writes elsewhere (to compare with what is stored)

Needs the packages of tools/golden/requirements.txt. Weights are random: no published model is read.
"""

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

# Every module with a `cases()` function that maps "group/name" to a maker called with the output folder.
MODULES = ["layers", "networks", "guidance_networks", "pipeline_cases", "guided_cases", "regional", "feature_cache",
           "adapters"]


def all_cases() -> dict:
    table = {}
    for name in MODULES:
        if (Path(__file__).resolve().parent / "golden" / f"{name}.py").exists():
            table.update(importlib.import_module(f"golden.{name}").cases())
    return table


def folder_size(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file() and not f.is_symlink())


def write_index(root: Path) -> None:
    """Lists every case with its size, and the versions that made it."""
    from golden import common

    rows = []
    for file in sorted(root.rglob("case.json")):
        rows.append({"case": file.parent.relative_to(root).as_posix(), "bytes": folder_size(file.parent)})
    common.save_json(root / "index.json", {"versions": common.versions(), "cases": rows})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", nargs="+", default=None)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    import torch

    from golden import common

    torch.set_num_threads(1)
    torch.manual_seed(0)
    root = options.out or common.GOLDEN_DIR
    table = all_cases()
    if options.only:
        table = {k: v for k, v in table.items() if any(part in k for part in options.only)}
    if options.list:
        print("\n".join(table))
        return 0
    for name, make in table.items():
        start = time.time()
        with torch.no_grad():
            make(root)
        size = folder_size(root / name) if (root / name).exists() else 0
        print(f"{name}: {size / 1024:.0f} KiB, {time.time() - start:.1f} s", flush=True)
    write_index(root)
    print(f"total {folder_size(root) / 1e6:.2f} MB under {root}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
