"""Writes a Keras model with groups in tfjs's format, and what PyTorch computes for it, into test/tfjs/fixtures.

Run with a Python that has PyTorch: python3 test/torch/grouped_keras.py
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

FOLDER = Path(__file__).parent.parent / "tfjs" / "fixtures" / "grouped_torch"
torch.manual_seed(1)


def uniform(*shape):
    """HWIO or any other order as Keras saves it; float32 values."""
    return torch.rand(*shape) * 2 - 1


def layer(name, class_name, kernel_size, weights, **config):
    common = {"name": name, "kernel_size": [kernel_size, kernel_size], "data_format": "channels_last", "use_bias": True}
    return {"class_name": class_name, "config": {**common, **config}}, weights


def same(x, kernel, stride):
    """Keras' padding: the odd row and column after."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def oihw(kernel):
    return kernel.permute(3, 2, 0, 1).to(torch.float64)


def depthwise(kernel):
    """Keras' [h, w, channels, multiplier] as PyTorch's [channels * multiplier, 1, h, w]."""
    h, w, channels, multiplier = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, h, w).to(torch.float64)


first = {"kernel": uniform(3, 3, 4, 12), "bias": uniform(12)}
second = {"depthwise_kernel": uniform(3, 3, 12, 2), "bias": uniform(24)}
third = {"depthwise_kernel": uniform(3, 3, 24, 1), "pointwise_kernel": uniform(1, 1, 24, 8), "bias": uniform(8)}
fourth = {"kernel": uniform(2, 2, 2, 12), "bias": uniform(12)}

layers = [
    layer("grouped", "Conv2D", 3, first, filters=12, strides=[2, 2], padding="same", groups=2, activation="relu",
          batch_input_shape=[None, 9, 8, 8]),
    layer("depthwise", "DepthwiseConv2D", 3, second, depth_multiplier=2, strides=[1, 1], padding="same", groups=1,
          activation="linear"),
    layer("separable", "SeparableConv2D", 3, third, filters=8, strides=[1, 1], padding="same", groups=1,
          depth_multiplier=1, activation="tanh"),
    layer("small_groups", "Conv2D", 2, fourth, filters=12, strides=[1, 1], padding="valid", groups=4,
          activation="linear"),
]

x = uniform(2, 9, 8, 8)
y = x.permute(0, 3, 1, 2).to(torch.float64)
y = F.relu(F.conv2d(same(y, 3, 2), oihw(first["kernel"]), first["bias"].double(), stride=2, groups=2))
y = F.conv2d(y, depthwise(second["depthwise_kernel"]), second["bias"].double(), padding=1, groups=12)
y = F.conv2d(y, depthwise(third["depthwise_kernel"]), None, padding=1, groups=24)
y = torch.tanh(F.conv2d(y, oihw(third["pointwise_kernel"]), third["bias"].double()))
y = F.conv2d(y, oihw(fourth["kernel"]), fourth["bias"].double(), groups=4)
y = y.permute(0, 2, 3, 1)

specs, data = [], b""
for config, weights in layers:
    for name, values in weights.items():
        specs.append({"name": f"{config['config']['name']}/{name}", "shape": list(values.shape), "dtype": "float32"})
        data += values.contiguous().numpy().tobytes()
model = {
    "format": "layers-model",
    "modelTopology": {
        "keras_version": "2.15.0",
        "backend": "tensorflow",
        "model_config": {"class_name": "Sequential", "config": {"name": "groups", "layers": [c for c, _ in layers]}},
    },
    "weightsManifest": [{"paths": ["weights.bin"], "weights": specs}],
}


def tensor(values):
    return {"shape": list(values.shape), "data": [float(f"{v:.9g}") for v in values.flatten().tolist()]}


FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "model.json").write_text(json.dumps(model, indent=1) + "\n")
(FOLDER / "weights.bin").write_bytes(data)
(FOLDER / "expected.json").write_text(json.dumps({"input": tensor(x), "output": tensor(y)}) + "\n")
