#!/usr/bin/env python3
"""Makes tests/golden/sampling/*.json: what the reference programs compute, for sampling_test.

  tools/golden/sampling.py [random] [diffusers] [k]

Needs torch, diffusers, torchsde, scipy, and for "k" also k-diffusion, installed with --no-deps.
"""
import sys

from sampling_common import OUT


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for part in sys.argv[1:] or ["random", "diffusers", "k"]:
        if part == "random":
            from sampling_random import random_goldens as make
        elif part == "diffusers":
            from sampling_diffusers import diffusers_goldens as make
        elif part == "k":
            from sampling_k import k_goldens as make
        else:
            sys.exit(f"there is no part {part}")
        make()


if __name__ == "__main__":
    main()
