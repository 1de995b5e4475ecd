#!/usr/bin/env python3
"""Looks for disagreements with diffusers: random tiny models, random arguments, and the program on the same words.

  tools/parity_hunt.py                          every area once, seed 1
  tools/parity_hunt.py --area shapes --seeds 5-9
  tools/parity_hunt.py --area shapes --seeds 7 --keep /tmp/hunt --verbose

A table of PSNRs of the 8-bit pictures is printed; those below 55 dB (--precision bf16: 30 dB) come with the command
line and with what the reference itself gives when every weight is off by a relative 1e-6 (a badly conditioned model says
nothing). Needs the packages of tools/golden/requirements.txt and a built program; downloads nothing.
"""

import argparse
import importlib
import os
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

AREAS = ("shapes", "options", "single", "schedulers", "guides", "loras")


def seeds_of(text: str) -> list:
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--area", nargs="+", choices=AREAS, default=AREAS)
    parser.add_argument("--seeds", type=seeds_of, default=[1], help="1, 3-9 or 1,4,7")
    parser.add_argument("--binary", type=Path, default=ROOT / "build" / "release" / "src" / "cli" / "maquette")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--keep", type=Path, help="folder for models and pictures, kept afterwards")
    parser.add_argument("--verbose", action="store_true", help="print every comparison")
    parser.add_argument("--only", nargs="+", help="parts of an area (families, samplers), where it has any")
    options = parser.parse_args()

    import torch
    from diffusers.utils import logging
    from hunt.session import Session
    from transformers.utils import logging as transformers_logging

    logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        session = Session(folder, options.binary, options.precision, options.verbose)
        start = time.time()
        for area in options.area:
            hunt = importlib.import_module(f"hunt.{area}").hunt
            for seed in options.seeds:
                session.area, session.refusals_count = f"{area}:{seed}", True
                with torch.no_grad():
                    hunt(session, random.Random(f"{area}:{seed}"), *([options.only] if options.only else []))
        values = [row.psnr for row in session.rows if row.psnr is not None]
        bad = sum(row.bad for row in session.rows)
        worst = f", worst {min(values):.1f} dB" if values else ""
        print(f"{len(session.rows)} comparisons, {bad} bad{worst}, {time.time() - start:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
