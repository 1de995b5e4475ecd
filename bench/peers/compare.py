"""Our program against its peers on one machine, in one interleaved run: seconds of a warm guided step (UNet, batch 2)
and of decoding one picture, the ratio to each peer, and the processor seconds behind them (which say more than the
clock where others use the machine).

    compare.py --maquette PROGRAM --model FOLDER [--width 512 --height 512] [--rounds 3] [--threads N]
               [--peers openvino-bf16,pytorch-f32,...] [--cache FOLDER] [--no-amx]

The folder comes from make_checkpoint.py. Every peer is a process of its own that waits while the others run; ours runs
in the peer's precision. "cold" is what our first picture takes more than the second, from an empty process on: reading
the file, packing the weights, the first touch of memory. --no-amx keeps all of them off the tile registers of AMX, as
on processors that have AVX512-BF16 only.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

STEPS = 2  # of one picture; the second picture of a run is warm


def ours(arguments, precision):
    """Seconds of a warm step, of decoding, and of the cold start; peak memory in GB of a process that makes one picture."""
    environment = os.environ | {"MAQUETTE_THREADS": str(arguments.threads)}
    if arguments.no_amx:
        environment["MAQUETTE_KERNELS"] = "-amx"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            arguments.maquette, "generate", "--model", arguments.model, "--prompt", "a castle", "--negative", "blur",
            "--steps", str(STEPS), "--count", "2", "--seed", "1", "--precision", precision,
            "--width", str(arguments.width), "--height", str(arguments.height), "--json", "--out", folder,
        ]  # fmt: skip
        out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    cold, warm = (json.loads(line) for line in out.strip().splitlines()[:2])
    phases = ("load", "encode prompt", "sample")
    extra = sum(cold["seconds"][phase] - warm["seconds"][phase] for phase in phases)
    return warm["seconds"]["sample"] / STEPS, warm["seconds"]["decode"], extra, cold["peak_memory"] / 1e9


def timed(action):
    wall, cpu = time.monotonic(), time.process_time()
    action()
    return time.monotonic() - wall, time.process_time() - cpu


def peer_process(pipe, name, arguments):
    import torch

    import networks

    torch.set_num_threads(arguments.threads)
    folder = pathlib.Path(arguments.model)
    inputs = networks.Inputs(folder, arguments.width, arguments.height)
    library, precision = name.split("-")
    if library == "pytorch":
        peer = networks.PyTorch(folder, inputs, precision)
    else:
        peer = networks.OpenVino(folder, inputs, precision, arguments.threads, pathlib.Path(arguments.cache))
    peer.step()
    pipe.send("ready")
    while pipe.recv() == "measure":
        step = timed(peer.step)
        decode = timed(peer.decode)
        pipe.send((step, decode, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


class Peer:
    def __init__(self, name, arguments):
        self.name = name
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=peer_process, args=(other, name, arguments), daemon=True)
        self.process.start()
        other.close()  # so that reading ends when the peer does
        self.pipe.recv()

    def measure(self):
        self.pipe.send("measure")
        return self.pipe.recv()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maquette", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", default="openvino-bf16,openvino-f32,pytorch-bf16,pytorch-f32")
    parser.add_argument("--cache", default="/var/tmp/maquette-peers")
    parser.add_argument("--no-amx", action="store_true")
    arguments = parser.parse_args()

    if arguments.no_amx:
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_BF16"
    multiprocessing.set_start_method("spawn")
    rows = []
    for name in arguments.peers.split(","):
        precision = name.split("-")[1]
        mine, theirs = [], []
        peer = Peer(name, arguments)
        for _ in range(arguments.rounds):
            mine.append(ours(arguments, "f32" if precision == "f32" else "auto"))
            step, decode, memory = peer.measure()
            theirs.append((step[0], decode[0], memory))
            print(f"maquette {precision}: step {mine[-1][0]:.2f} s, decode {mine[-1][1]:.2f} s, {mine[-1][3]:.2f} GB; "
                  f"{name}: step {step[0]:.2f} s, decode {decode[0]:.2f} s, {memory:.2f} GB", flush=True)  # fmt: skip
        peer.pipe.send("end")
        peer.process.join()
        rows.append((name, median_of(mine), median_of(theirs)))

    print("\n| peer | step: ours / peer | ratio | decode: ours / peer | ratio | memory: ours / peer | our cold start |")
    print("|---|---|---|---|---|---|---|")
    for name, (step, decode, cold, memory), (peer_step, peer_decode, peer_memory) in rows:
        print(f"| {name} | {step:.2f} s / {peer_step:.2f} s | {step / peer_step:.2f} | {decode:.2f} s / "
              f"{peer_decode:.2f} s | {decode / peer_decode:.2f} | {memory:.2f} GB / {peer_memory:.2f} GB | "
              f"+{cold:.1f} s |")  # fmt: skip


def median_of(rows):
    return [statistics.median(column) for column in zip(*rows)]


if __name__ == "__main__":
    main()
