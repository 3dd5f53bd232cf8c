#!/usr/bin/env python3
"""Random convolutions over the whole option matrix, computed by PyTorch in float64, against this package.

    python3 test/torch/differential.py [--cases 3000] [--seed 1] [--isa avx2] [--work 3e6]

Needs torch and numpy, and a built addon. Prints every case that leaves the error bound, and how much of it was used.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "elu": F.elu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": F.silu,
    "hardSwish": F.hardswish,
    "hardSigmoid": F.hardsigmoid,
    "gelu": F.gelu,
}
# Where each falls below its neighbours on both sides.
TURNS = {"silu": -1.278464542761074, "gelu": -0.751791524693564, "hardSwish": -1.5, "leakyRelu": 0.0, "prelu": 0.0}
EXACT = {"linear", "relu", "relu6", "clip"}

HOW = ["sync", "async", "layer sync", "layer async", "sync out", "async out", "layer sync out"]


class Driver:
    """The package in a process of its own."""

    def __init__(self, isa):
        env = dict(os.environ, **({"DEPTHWISE_ISA": isa} if isa else {}))
        command = ["node", "--import", "tsx", str(ROOT / "test/torch/driver.ts")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=env)

    def call(self, header, tensors):
        header = dict(header, tensors={name: list(array.shape) for name, array in tensors.items()})
        self.process.stdin.write(json.dumps(header).encode() + b"\n")
        for array in tensors.values():
            self.process.stdin.write(np.ascontiguousarray(array, np.float32).tobytes())
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process died with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        count = int(np.prod(answer["shape"], dtype=np.int64))
        data = np.frombuffer(self.process.stdout.read(4 * count), np.float32)
        return data.reshape(answer["shape"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def size(rng, most):
    edges = [e + d for e in (4, 8, 14, 16, 28, 32, 48, 64, 96, 128, 256) for d in (-1, 0, 1)]
    return min(most, rng.choice([rng.randint(1, 9), rng.randint(1, most), rng.choice(edges)]))


def pair(rng, draw):
    return [draw(), draw()] if rng.random() < 0.5 else [draw()] * 2


def shaped_padding(rng):
    """The option's value and, but for 'same' and 'same-lower', the rows and columns it means."""
    kind = rng.choice(["none", "valid", "same", "same", "same-lower", "n", "pair", "sides", "sides"])
    if kind in ("none", "valid"):
        return (None if kind == "none" else "valid"), [[0, 0], [0, 0]]
    if kind in ("same", "same-lower"):
        return kind, None
    most = rng.choice([1, 3, 12])
    if kind == "n":
        n = rng.randint(0, most)
        return n, [[n, n], [n, n]]
    if kind == "pair":
        h, w = rng.randint(0, most), rng.randint(0, most)
        return [h, w], [[h, h], [w, w]]
    sides = [[rng.randint(0, most) for _ in range(2)] for _ in range(2)]
    return sides, sides


def draw_case(rng, work):
    while True:
        depthwise = rng.random() < 0.5
        heavy = rng.choice(["channels", "image", "both", "signal"])
        most_channels, most_pixels = {"channels": (1200, 10), "image": (6, 150), "both": (40, 40), "signal": (40, 1)}[heavy]
        if depthwise:
            groups, in_group = size(rng, most_channels), 1
            out_group = rng.choice([1, 1, 1, 2, 3, 4, 8, size(rng, 20)])
        else:
            groups = rng.choice([1, 1, 2, 3, 4, 8, 16, 32, rng.randint(1, 12)])
            in_group, out_group = (size(rng, max(1, most_channels // groups)) for _ in range(2))
        case = {
            "depthwise": depthwise,
            "batch": rng.choice([1, 1, 1, 2, 3, 0]),
            "rank": rng.choice([4, 4, 3]),
            "image": [size(rng, most_pixels), size(rng, most_pixels) if heavy != "signal" else rng.randint(1, 3000)],
            "groups": groups,
            "in_group": in_group,
            "out_group": out_group,
            "filter": rng.choice([[1, 1], [3, 3], [3, 3], [5, 5], [7, 7], pair(rng, lambda: rng.randint(1, 9)), [1, rng.randint(1, 31)]]),
            "strides": rng.choice([[1, 1], [1, 1], [2, 2], pair(rng, lambda: rng.choice([1, 2, 3, 5, 7]))]),
            "dilations": rng.choice([[1, 1], [1, 1], pair(rng, lambda: rng.choice([1, 2, 3, 4, 6]))]),
            "padding": shaped_padding(rng),
            "dataFormat": rng.choice([None, "NHWC", "NCHW", "NCHW"]),
            "filterFormat": rng.choice([None, "HWIO", "OIHW", "OIHW"]),
            "bias": rng.choice([None, "$bias", "$bias.data"]),
            "activation": rng.choice([*ACTIVATIONS, "leakyRelu", "prelu", "clip"]),
            "alpha": rng.choice([0.0, 0.01, 0.3, -0.7, 1.0, 2.5]),
            "clip": rng.choice([[-1.0, 1.0], [0.0, 0.25], [-0.3, 8.0], ["-inf", 0.1], [0.2, "inf"], [0.5, 0.5]]),
            "numbers": rng.choice(["normal", "normal", "positive", "wide", "sparse", "nan", "denormal"]),
            "how": rng.choice(HOW),
            "threads": rng.choice([1, 2, 3, 5]),
        }
        if case["rank"] == 3:
            case["batch"] = 1
        padded = pads_of(case)
        outs = [output_size(case, axis, padded) for axis in (0, 1)]
        if min(outs) < 1:
            continue
        taps = case["filter"][0] * case["filter"][1] * in_group
        outputs = max(1, case["batch"]) * outs[0] * outs[1] * groups * out_group
        pixels = max(1, case["batch"]) * np.prod([s + sum(p) for s, p in zip(case["image"], padded)]) * groups * in_group
        if outputs * taps <= work and pixels <= work:
            return case


def pads_of(case):
    value, pads = case["padding"]
    if pads is not None:
        return pads
    pads = []
    for n, k, s, d in zip(case["image"], case["filter"], case["strides"], case["dilations"]):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        less, more = total // 2, total - total // 2
        pads.append([less, more] if value == "same" else [more, less])
    return pads


def output_size(case, axis, pads):
    padded = case["image"][axis] + sum(pads[axis])
    span = (case["filter"][axis] - 1) * case["dilations"][axis] + 1
    return (padded - span) // case["strides"][axis] + 1 if padded >= span else 0


def numbers(kind, rng, shape, is_filter=False):
    values = rng.standard_normal(shape)
    if kind == "positive":
        values = np.abs(values)
    if kind == "wide":
        values = values * 2.0 ** rng.uniform(-30, 30, shape)
    if kind == "sparse":
        values = values * (rng.random(shape) < 0.3)
    if kind == "nan" and not is_filter:
        values[rng.random(shape) < 0.01] = np.nan
    if kind == "denormal" and not is_filter:
        values = values * 2.0**-130
    return values.astype(np.float32)


def expected(case, tensors):
    """PyTorch's result in float64, before the activation, and the same of absolute values; in the output's format."""
    nchw, oihw = case["dataFormat"] == "NCHW", case["filterFormat"] == "OIHW"
    x, w = (torch.from_numpy(tensors[name]).double() for name in ("input", "filter"))
    if case["rank"] == 3:
        x = x[None]
    if not nchw:
        x = x.permute(0, 3, 1, 2).contiguous()
    if not oihw:
        h, w_, i, o = w.shape
        w = w.reshape(h, w_, 1, i * o) if case["depthwise"] else w
        w = w.permute(3, 2, 0, 1).contiguous()
    (top, bottom), (left, right) = pads_of(case)
    bias = torch.from_numpy(tensors["bias"]).double() if case["bias"] else None
    results = []
    for x_, w_, b_ in ((x, w, bias), (x.abs(), w.abs(), None if bias is None else bias.abs())):
        x_ = F.pad(x_, [left, right, top, bottom]).contiguous()
        y = F.conv2d(x_, w_, b_, case["strides"], 0, case["dilations"], case["groups"])
        results.append(y)
    return results


def activation(case, slopes):
    kind = case["activation"]
    if kind == "leakyRelu":
        alpha = float(np.float32(case["alpha"]))
        return lambda x: torch.where(x < 0, alpha * x, x)
    if kind == "prelu":
        alpha = torch.from_numpy(slopes).double()[None, :, None, None]
        return lambda x: torch.where(x < 0, alpha * x, x)
    if kind == "clip":
        low, high = (float(np.float32(bound)) for bound in case["clip"])
        return lambda x: torch.clamp(x, low, high)
    return ACTIVATIONS[kind]


def check(case, tensors, got):
    """The largest share of the error bound that was used, and of the plain one that knows no slopes.

    Raises AssertionError where the former exceeds 1.
    """
    sums, magnitudes = expected(case, tensors)
    taps = case["filter"][0] * case["filter"][1] * case["in_group"]
    error = (taps + 4) * 2.0**-24 * magnitudes + (taps + 1) * 2.0**-150
    f = activation(case, tensors.get("slopes"))
    values = [f(sums - error), f(sums), f(sums + error)]
    turn = TURNS.get(case["activation"])
    if turn is not None:
        inside = (sums - turn).abs() <= error
        values.append(torch.where(inside, f(torch.full_like(sums, turn)), values[1]))
    low, high = torch.stack(values).amin(0), torch.stack(values).amax(0)
    if case["activation"] not in EXACT:
        own = 1e-6 + 4 * 2.0**-23 * torch.maximum(low.abs(), high.abs())
        low, high = low - own, high + own
    # The same without regard to the activation's slope: stricter where that exceeds 1.
    plain = error + (0 if case["activation"] in EXACT else 1e-6 + 4 * 2.0**-23 * values[1].abs())
    arrays = [a if case["dataFormat"] == "NCHW" else a.permute(0, 2, 3, 1) for a in (values[1], low, high, plain)]
    want, low, high, plain = (a[0].numpy() if case["rank"] == 3 else a.numpy() for a in arrays)
    if list(got.shape) != list(want.shape):
        raise AssertionError(f"shape {got.shape}, expected {want.shape}")
    got = got.astype(np.float64)
    if not np.array_equal(np.isnan(got), np.isnan(want)):
        at = np.argwhere(np.isnan(got) != np.isnan(want))[0]
        raise AssertionError(f"NaN: got {got[tuple(at)]}, expected {want[tuple(at)]} at {at.tolist()}")
    real = ~np.isnan(want)
    if not real.any():
        return 0.0, 0.0
    allowed = np.maximum(np.where(got >= want, high - want, want - low), 1e-300)
    used = np.where(real, np.abs(got - want) / allowed, 0)
    at = np.unravel_index(np.argmax(used), used.shape)
    if used[at] > 1:
        bad = int((used > 1).sum())
        raise AssertionError(f"{bad} of {used.size} wrong: got {got[at]}, expected {want[at]} at {[int(i) for i in at]}, {used[at]:.3g} of the bound")
    return float(used[at]), float(np.max(np.where(real, np.abs(got - want) / np.maximum(plain, 1e-300), 0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--isa")
    parser.add_argument("--work", type=float, default=1e6, help="multiplications in a case, at most")
    options = parser.parse_args()
    torch.set_num_threads(1)
    driver = Driver(options.isa)
    wrong, worst, worst_plain, begin = 0, {}, 0.0, time.time()
    for index in range(options.cases):
        seed = options.seed * 1_000_000 + index
        rng, np_rng = random.Random(seed), np.random.default_rng(seed)
        case = draw_case(rng, options.work)
        in_c, out_c = case["groups"] * case["in_group"], case["groups"] * case["out_group"]
        image = [in_c, *case["image"]] if case["dataFormat"] == "NCHW" else [*case["image"], in_c]
        if case["filterFormat"] == "OIHW":
            filter_shape = [out_c, case["in_group"], *case["filter"]]
        else:
            filter_shape = [*case["filter"], *([in_c, case["out_group"]] if case["depthwise"] else [case["in_group"], out_c])]
        kind = case["numbers"]
        tensors = {
            "input": numbers(kind, np_rng, image if case["rank"] == 3 else [case["batch"], *image]),
            "filter": numbers(kind, np_rng, filter_shape, is_filter=True),
        }
        header = {"operator": "depthwiseConv2d" if case["depthwise"] else "conv2d", "how": case["how"], "threads": case["threads"]}
        given = {name: case[name] for name in ("dataFormat", "filterFormat", "bias") if case[name] is not None}
        for name in ("strides", "dilations"):
            h, w = case[name]
            if [h, w] != [1, 1] or rng.random() < 0.5:
                given[name] = h if h == w and rng.random() < 0.5 else [h, w]
        if case["padding"][0] is not None:
            given["padding"] = case["padding"][0]
        if not case["depthwise"] and (case["groups"] > 1 or rng.random() < 0.5):
            given["groups"] = case["groups"]
        if case["bias"]:
            tensors["bias"] = numbers(kind, np_rng, [out_c], is_filter=kind == "nan")
        if case["activation"] == "prelu":
            tensors["slopes"] = np_rng.uniform(-1, 2, out_c).astype(np.float32)
            given["activation"] = {"type": "prelu", "alpha": "$slopes.data"}
        elif case["activation"] == "leakyRelu":
            given["activation"] = {"type": "leakyRelu", "alpha": case["alpha"]}
        elif case["activation"] == "clip":
            given["activation"] = {"type": "clip", "min": case["clip"][0], "max": case["clip"][1]}
        elif case["activation"] != "linear" or rng.random() < 0.5:
            name = case["activation"]
            given["activation"] = {"type": name} if rng.random() < 0.5 else name
        try:
            used, plain = check(case, tensors, driver.call(dict(header, options=given), tensors))
            name = case["activation"]
            worst[name] = max(worst.get(name, 0), used)
            worst_plain = max(worst_plain, plain)
        except (AssertionError, RuntimeError) as error:
            wrong += 1
            print(f"case {index} of seed {options.seed}: {error}\n  {json.dumps(case)}", flush=True)
            if driver.process.poll() is not None:
                driver = Driver(options.isa)
    driver.close()
    print(f"{options.cases} cases, {wrong} wrong, {time.time() - begin:.0f} s")
    print("share of the bound used at most: " + ", ".join(f"{name} {worst[name]:.2f}" for name in sorted(worst)))
    print(f"share of the bound without slopes: {worst_plain:.2f}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
