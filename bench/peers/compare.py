"""Our program against its peers on one machine, in one interleaved run: seconds of a warm guided step (UNet, batch 2)
and of decoding one picture, the ratio to each peer, and the processor seconds behind them (which say more than the
clock where others use the machine).

    compare.py --maquette PROGRAM --model FOLDER [--width 512 --height 512] [--rounds 3] [--threads N]
               [--peers openvino-bf16,pytorch-f32,...] [--cache FOLDER]

The folder comes from make_checkpoint.py. Every peer is a process of its own that waits while the others run.
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

STEPS = 4  # of one picture; the second picture of a run is warm


def ours(arguments, precision):
    """(step, decode) as pairs of wall and processor seconds; the latter only for both together, so zero here."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            arguments.maquette, "generate", "--model", arguments.model, "--prompt", "a castle", "--negative", "blur",
            "--steps", str(STEPS), "--count", "2", "--seed", "1", "--precision", precision,
            "--width", str(arguments.width), "--height", str(arguments.height), "--json", "--out", folder,
        ]  # fmt: skip
        environment = os.environ | {"MAQUETTE_THREADS": str(arguments.threads)}
        out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    warm = json.loads(out.strip().splitlines()[1])
    return warm["seconds"]["sample"] / STEPS, warm["seconds"]["decode"], warm["peak_memory"] / 1e9


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
    arguments = parser.parse_args()

    multiprocessing.set_start_method("spawn")
    seen = {}

    def add(name, step, decode, memory):
        seen.setdefault(name, []).append((step, decode, memory))
        print(f"{name:14} step {step:6.2f} s  decode {decode:6.2f} s  {memory:5.1f} GB", flush=True)

    for name in arguments.peers.split(","):
        peer = Peer(name, arguments)
        for _ in range(arguments.rounds):
            for precision in ("auto", "f32"):
                add(f"maquette-{precision}", *ours(arguments, precision))
            step, decode, memory = peer.measure()
            add(name, step[0], decode[0], memory)
            print(f"{'':14} processor seconds: step {step[1]:.2f}, decode {decode[1]:.2f}")
        peer.pipe.send("end")
        peer.process.join()

    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in seen.items()}
    print("\n| ours | peer | step | decode |\n|---|---|---|---|")
    for mine in ("maquette-auto", "maquette-f32"):
        for name in arguments.peers.split(","):
            ratios = [f"{a:.2f} s / {b:.2f} s = {a / b:.2f}" for a, b in zip(medians[mine][:2], medians[name][:2])]
            print(f"| {mine} | {name} | {ratios[0]} | {ratios[1]} |")


if __name__ == "__main__":
    main()
