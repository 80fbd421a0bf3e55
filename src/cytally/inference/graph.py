"""Networks as OpenVINO graphs, built straight from their weights; torch is not needed.

The list of architectures is closed (`nets.architecture`), so a graph is a page of code and
nothing has to be exported. Normalisation layers are folded into the convolutions before them.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as op

from cytally.inference.members import Weights, padded, threads
from cytally.inference.views import EightViews, Glance
from cytally.inference.windows import around
from cytally.nets.architecture import MIDDLE, Architecture, VerifierArchitecture, convolutions
from cytally.precision import bfloat16_allowed

Float32 = NDArray[np.float32]
#: A value in a graph: a node, or one of its outputs.
_Value: TypeAlias = openvino.Node | openvino.Output
#: How far, at most, bfloat16 moves the mean of a verifier's views: 3.5 times what was found (docs/processors.md).
ROUGH = np.float32(0.05)
#: Of torch's normalisation layers.
_EPSILON = 1e-5
logging.getLogger("openvino").setLevel(logging.ERROR)


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def precision() -> str:
    """bfloat16 where this processor multiplies in it, float32 elsewhere."""
    fast = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if fast and bfloat16_allowed() else "float32"


class GraphMember:
    """A member on the processor.

    Parameters
    ----------
    architecture : Architecture
    weights : dict of str to ndarray
        As its file holds them, in single precision.
    format : {"float32", "bfloat16"}, optional
        Default: what this processor multiplies in.
    """

    def __init__(self, architecture: Architecture, weights: Weights, format: str | None = None) -> None:
        self.architecture = architecture
        image = op.parameter([1, 1, -1, -1], np.float32, name="density")
        window = op.parameter([4], np.int64, name="window")
        features = _features(image, architecture, weights, "", window).finest
        answers = _convolved(features, weights["head.weight"], weights["head.bias"], relu=False)
        if architecture.sharp:
            answers = op.depth_to_space(answers, "depth_first", architecture.stride)
        self._run = _Compiled(op.sigmoid(answers), [image, window], format)

    def __call__(self, density: Float32) -> Float32:
        """Heatmaps (classes, h / step, w / step) of a density (h, w) whose sides fit the multiple."""
        rows, cols = (size // self.architecture.multiple for size in density.shape)
        return self.inside(density, (slice(0, rows), slice(0, cols)))

    def inside(self, density: Float32, window: tuple[slice, slice]) -> Float32:
        """The same of a window, in coarse cells: what only other answers need is not computed."""
        cells = (size // self.architecture.multiple for size in density.shape)
        cut = [around(part, self.architecture.margin, size) for part, size in zip(window, cells, strict=True)]
        low, high = [part.start for part in cut], [part.stop for part in cut]
        answers: Float32 = self._run(density[None, None], np.array([*low, *high], np.int64))[0]
        unit = self.architecture.multiple // self.architecture.step
        rows, cols = (slice((w.start - a) * unit, (w.stop - a) * unit) for w, a in zip(window, low, strict=True))
        return answers[:, rows, cols]

    def padded(self, density: Float32) -> Float32:
        """Heatmaps of a density of any size: empty slide is added below and right, then cut."""
        return padded(self, density)


class GraphVerifier(EightViews):
    """A verifier on the processor, looking at each crop turned and mirrored in all eight ways.

    Parameters
    ----------
    architecture : VerifierArchitecture
    weights : dict of str to ndarray
    format : {"float32", "bfloat16"}
        Single precision by default: verifiers decide, and decide alike on every processor.
    """

    def __init__(self, architecture: VerifierArchitecture, weights: Weights, format: str = "float32") -> None:
        self.side = architecture.side
        views = op.parameter([-1, 1, self.side, self.side], np.float32, name="views")
        answers = op.softmax(_answers(views, architecture, weights), 1)
        self._run = _Compiled(answers, [views], format)
        rough = format == "float32" and precision() == "bfloat16"
        self._rough = _Compiled(answers, [views], "bfloat16") if rough else None

    def views(self, crops: Float32, which: slice) -> Float32:
        """Probabilities (n, k, classes + 1) of k of the eight views of crops (n, side, side)."""
        return np.stack([self._run(eight_views(crop)[which, None]) for crop in crops])

    def glance(self, crops: Float32) -> Glance:
        """What the probabilities can be at least and at most: all views in bfloat16, else some in single precision."""
        if self._rough is None:
            return super().glance(crops)
        mean = np.stack([self._rough(eight_views(crop)[:, None]).mean(axis=0) for crop in crops])
        return Glance(mean - ROUGH, mean + ROUGH, np.zeros((len(crops), 0, mean.shape[1]), np.float32))


def eight_views(crop: Float32) -> Float32:
    """A crop (side, side) turned and mirrored in all eight ways, (8, side, side)."""
    return np.stack([np.rot90(each, k) for each in (crop, crop[:, ::-1]) for k in range(4)])


class _Seen(NamedTuple):
    """Features on the finest grid, and the deepest level."""

    finest: _Value
    deepest: _Value


def _features(
    image: _Value,
    architecture: Architecture,
    weights: Weights,
    prefix: str,
    window: _Value | None = None,
    last: _Value | None = None,
) -> _Seen:
    """`UNet.features`, on the way up only inside a window (top, left, bottom, right) of coarse cells.

    `last` is such a window for the last step alone, in places of the grid before it.
    """
    top, depth = architecture.finest, architecture.depth
    levels = [_stem(image, architecture, weights, prefix)]
    for k in range(depth - top):
        levels.append(_double(_halved(levels[-1]), architecture, weights, f"{prefix}down.{k}"))
    if window is not None:
        levels = [_cut(level, window, 1 << (depth - top - k)) for k, level in enumerate(levels)]
    x = deepest = levels.pop()
    for k in range(depth - top):
        if last is not None and k == depth - top - 1:
            x, levels = _cut(x, last, 1), [_cut(levels[0], last, 2)]
        x = _up(x, levels.pop(), architecture, weights, f"{prefix}up.{k}")
    return _Seen(x, deepest)


def _up(x: _Value, skip: _Value, architecture: Architecture, weights: Weights, name: str) -> _Value:
    """Doubled and joined with its equal on the way down, then two convolutions.

    A convolution of nearest neighbours meets each coarse place several times. It is the same
    as a transposed convolution of the coarse places, with sums of its taps: 4 products for
    each place instead of 9.
    """
    first, second = convolutions(architecture)
    kernel, bias = _folded(weights, f"{name}.{first[0]}", f"{name}.{first[1]}")
    coarse = int(x.get_output_partial_shape(0)[1].get_length())
    doubled = op.convolution_backprop_data(
        x,
        op.constant(_of_doubled(kernel[:, :coarse])),
        [2, 2],
        pads_begin=[1, 1],
        pads_end=[1, 1],
        dilations=[1, 1],
    )
    fine = _convolved(skip, np.ascontiguousarray(kernel[:, coarse:]), bias, relu=False)
    second_kernel = _folded(weights, f"{name}.{second[0]}", f"{name}.{second[1]}")
    return _convolved(op.relu(op.add(fine, doubled)), *second_kernel, relu=True)


def _of_doubled(kernel: Float32) -> Float32:
    """Kernel (out, in, 3, 3) on doubled places -> transposed kernel (in, out, 4, 4) of stride 2."""
    taps = ([2], [1, 2], [0, 1], [0])
    rows = np.stack([kernel[:, :, t].sum(axis=2) for t in taps], axis=2)
    both = np.stack([rows[..., t].sum(axis=3) for t in taps], axis=3)
    return np.ascontiguousarray(both.transpose(1, 0, 2, 3))


def _cut(x: _Value, window: _Value, unit: int) -> _Value:
    places = op.multiply(window, _whole([unit]))
    start, stop = (op.slice(places, _whole([k]), _whole([k + 2]), _whole([1])) for k in (0, 2))
    return op.slice(x, start, stop, _whole([1, 1]), _whole([2, 3]))


def _stem(image: _Value, architecture: Architecture, weights: Weights, prefix: str) -> _Value:
    if architecture.stem == "unshuffle":
        stride = architecture.stride
        folded = op.space_to_depth(image, "depth_first", stride) if stride > 1 else image
        return _double(folded, architecture, weights, f"{prefix}stem.1")
    x = image
    for level in range(architecture.finest + 1):
        x = _double(_halved(x) if level else x, architecture, weights, f"{prefix}stem.{2 * level}")
    return x


def _answers(views: _Value, architecture: VerifierArchitecture, weights: Weights) -> _Value:
    """Logits (8, classes + 1): `Verifier.forward`."""
    start = architecture.side // architecture.unet.stride // 2 - MIDDLE // 2
    low, high = max((start - 2) // 2, 0), -(-(start + MIDDLE + 2) // 2)  # two convolutions follow
    features, deepest = _features(views, architecture.unet, weights, "unet.", last=_whole([low, low, high, high]))
    start -= 2 * low
    stop = start + MIDDLE
    middle = op.slice(features, _whole([start] * 2), _whole([stop] * 2), _whole([1, 1]), _whole([2, 3]))
    head = _convolved(middle, weights["unet.head.weight"], weights["unet.head.bias"], relu=False)
    space = _whole([2, 3])
    seen = op.concat(
        [
            op.reduce_mean(middle, space, False),
            op.reduce_max(middle, space, False),
            op.reduce_mean(deepest, space, False),
            op.reduce_max(head, space, False),
        ],
        1,
    )
    hidden = op.relu(_dense(seen, weights, "answer.0"))
    return _dense(hidden, weights, "answer.2")


def _dense(x: _Value, weights: Weights, name: str) -> _Value:
    product = op.matmul(x, op.constant(weights[f"{name}.weight"]), False, True)
    return op.add(product, op.constant(weights[f"{name}.bias"][None]))


def _double(x: _Value, architecture: Architecture, weights: Weights, name: str) -> _Value:
    """Two convolutions of 3 x 3, each with its normalisation folded in and rectified."""
    for convolution, norm in convolutions(architecture):
        x = _convolved(x, *_folded(weights, f"{name}.{convolution}", f"{name}.{norm}"), relu=True)
    return x


def _folded(weights: Weights, convolution: str, norm: str) -> tuple[Float32, Float32]:
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + np.float32(_EPSILON))
    kernel = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    return kernel, weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale


def _convolved(x: _Value, kernel: Float32, bias: Float32, *, relu: bool) -> _Value:
    edge = [kernel.shape[-1] // 2] * 2
    product = op.convolution(x, op.constant(kernel), [1, 1], edge, edge, [1, 1])
    moved = op.add(product, op.constant(bias[None, :, None, None]))
    return op.relu(moved) if relu else moved


def _halved(x: _Value) -> _Value:
    return op.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)


def _whole(values: list[int]) -> _Value:
    return op.constant(np.array(values, np.int64))


class _Compiled:
    """A graph ready to run: array -> array of its own."""

    def __init__(self, answer: _Value, inputs: list[openvino.op.Parameter], format: str | None) -> None:
        wanted = format or precision()
        settings = {
            "INFERENCE_NUM_THREADS": threads(),
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "bf16" if wanted == "bfloat16" else "f32",
            "ENABLE_CPU_PINNING": False,  # processes beside each other would share one core
            "CPU_RUNTIME_CACHE_CAPACITY": "0",  # else memory grows with every new size of a window
        }
        model = openvino.Model([answer], inputs, "network")
        self._request = _core().compile_model(model, "CPU", settings).create_infer_request()

    def __call__(self, *values: Float32 | NDArray[np.int64]) -> Float32:
        for k, each in enumerate(values):
            self._request.set_input_tensor(k, openvino.Tensor(np.ascontiguousarray(each)))
        self._request.infer()
        return np.array(self._request.get_output_tensor().data)
