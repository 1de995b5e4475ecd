#!/usr/bin/env python3
"""What feature caching (maquette generate --feature-cache) gains and costs.

For each setting and each seed: the seconds of sampling beside those of the whole network, and the PSNR of the picture
to the one made without caching. The settings take turns, a first picture of each process warms up, and the table has
medians. Prints the rows of docs/benchmarks.md.

    bench/feature_cache.py --maquette build/release/src/cli/maquette --model models/starter
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import tempfile

PROMPT = "sunset, red mesas, city of domes, ringed planet, clouds"


def generate(options, folder: pathlib.Path, setting: str) -> list[dict]:
    """One process: a picture to warm up, then one of every seed. `setting` is "off" or what --feature-cache takes."""
    command = [options.maquette, "generate", "--model", options.model, "--prompt", PROMPT, "--cfg", str(options.cfg),
               "--steps", str(options.steps), "--width", str(options.width), "--height", str(options.height),
               "--seed", "1", "--count", str(options.seeds + 1), "--json", "--out", str(folder)]
    command += [] if setting == "off" else ["--feature-cache", setting]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()][1:]


def psnr(options, a: str, b: str) -> float:
    text = subprocess.run([options.maquette, "compare", a, b], check=True, capture_output=True, text=True).stdout
    found = re.search(r"PSNR ([\d.]+) dB", text)
    return float(found[1]) if found else float("inf")


def measure(options, folder: pathlib.Path) -> dict[str, dict]:
    settings = ["off", *options.settings]
    rows = {setting: {"seconds": [], "psnr": []} for setting in settings}
    for round_ in range(options.rounds):
        files = {}
        for setting in settings:
            pictures = generate(options, folder / f"{round_}_{setting.replace(':', '_')}", setting)
            files[setting] = [picture["file"] for picture in pictures]
            rows[setting]["seconds"] += [picture["seconds"]["sample"] for picture in pictures]
        if round_ == 0:
            for setting in options.settings:
                rows[setting]["psnr"] = [psnr(options, a, b) for a, b in zip(files["off"], files[setting])]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maquette", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cfg", type=float, default=3)
    parser.add_argument("--seeds", type=int, default=4, help="pictures of each setting")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--settings", nargs="+", default=["2:1", "2:3", "3:1", "3:3", "5:1", "5:3"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options, pathlib.Path(folder))
    whole = statistics.median(rows["off"]["seconds"])
    print(f"{options.width} x {options.height}, {options.steps} steps, {options.seeds} seeds, {options.rounds} rounds")
    print("| `--feature-cache` | sampling | times as fast | PSNR, median (least) |\n|---|---|---|---|")
    for setting, row in rows.items():
        seconds = statistics.median(row["seconds"])
        quality = f"{statistics.median(row['psnr']):.1f} dB ({min(row['psnr']):.1f})" if row["psnr"] else ""
        print(f"| {setting} | {seconds:.2f} s | {whole / seconds:.2f} | {quality} |")


if __name__ == "__main__":
    main()
