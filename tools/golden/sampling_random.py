"""Random numbers as torch, numpy and torchsde draw them."""
import numpy as np
import torch
import torchsde

from sampling_common import numbers, write


def random_goldens():
    cases = generators() + brownian_motions() + mixed_noises()
    write("random.json", {"torch": torch.__version__, "torchsde": torchsde.__version__, "cases": cases})


def generators():
    cases = []
    for seed, calls in [
        (0, [5]), (0, [16]), (42, [16]), (0, [20]), (0, [1, 2, 3]), (7, [15, 16, 17, 3, 33]),
        (123456789012345, [36, 36]), (2**32 + 5, [17]), (1, [4, 40, 4]),
    ]:
        generator = torch.Generator().manual_seed(seed)
        cases.append({"kind": "torch_cpu", "seed": seed,
                      "calls": [numbers(torch.randn(n, generator=generator)) for n in calls]})
    for entropy, key, pool, count in [(0, [], 4, 4), (0, [], 24, 3), (12345, [3, 2], 24, 4),
                                      (2**40 + 17, [1, 1], 24, 4), (99, [2**33 + 1, 34], 8, 6)]:
        sequence = np.random.SeedSequence(entropy=entropy, spawn_key=tuple(key), pool_size=pool)
        cases.append({"kind": "seed_sequence", "entropy": entropy, "spawn_key": key, "pool_size": pool,
                      "state": [int(v) for v in sequence.generate_state(count)]})

    return cases


def brownian_motions():
    cases = []
    for seed, low, high, queries in [
        (0, 0.0291671582, 14.6146412, [(14.6146412, 10.7468), (10.7468, 8.0815), (8.0815, 3.0), (3.0, 0.0291671582)]),
        (42, 0.03, 14.6, [(14.6, 1.5), (14.6, 14.6 - 1e-5), (1.5, 0.1), (0.1, 0.03), (7.3, 7.29)]),
        (2**33 + 9, 0.1, 2.0, [(2.0, 1.0), (1.0, 0.123456789)]),
    ]:
        t0, t1 = torch.tensor(low), torch.tensor(high)
        tree = torchsde.BrownianTree(t0, torch.zeros(20), t1, entropy=seed)
        answers = []
        for sigma, sigma_next in queries:
            a, b = torch.tensor(sigma), torch.tensor(sigma_next)
            answers.append(numbers(tree(b, a) * -1 / (b - a).abs().sqrt()))
        cases.append({"kind": "brownian", "seed": seed, "low": low, "high": high, "queries": queries, "answers": answers})
    return cases


def slerp(t, a, b):
    """Variation seeds, after the rule of A1111: column-wise spherical interpolation, or linear where nearly parallel."""
    cosine = (a / a.norm(dim=1, keepdim=True) * (b / b.norm(dim=1, keepdim=True))).sum(1)
    if cosine.mean() > 0.9995:
        return t * a + (1 - t) * b
    omega = torch.acos(cosine)
    wa, wb = torch.sin((1 - t) * omega) / torch.sin(omega), torch.sin(t * omega) / torch.sin(omega)
    return wa.unsqueeze(1) * a + wb.unsqueeze(1) * b


def mixed_noises():
    cases = []
    for t, seed, other, noise in [(0.25, 3, 4, 0.0), (0.9, 3, 4, 0.0), (0.3, 5, 5, 1e-3)]:
        a = torch.randn((4, 3, 2), generator=torch.Generator().manual_seed(seed))
        b = torch.randn((4, 3, 2), generator=torch.Generator().manual_seed(other)) + noise
        cases.append({"kind": "slerp", "t": t, "a": numbers(a.flatten()), "b": numbers(b.flatten()),
                      "out": numbers(slerp(t, a, b).flatten())})
    return cases
