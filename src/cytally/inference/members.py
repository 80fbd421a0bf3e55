"""Members and verifiers as an ensemble holds them, and on what they run.

Two runtimes look alike: torch, which is needed for training and for GPUs, and OpenVINO, which
starts in half a second and uses a processor better. A network is read, checked and built when
it first looks: the shipped ensemble proposes with two members of four, so the others cost a
hash. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from cytally.errors import EnsembleError, SettingsError
from cytally.inference.views import EightViews, Glance
from cytally.nets.architecture import (
    Architecture,
    Shapes,
    VerifierArchitecture,
    tensors_of,
    verifier_tensors_of,
)

Float32 = NDArray[np.float32]
Weights = dict[str, Float32]
RUNTIMES = ("auto", "torch", "openvino")
_THREADS: dict[str, int | None] = {"count": None}
_KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


class Member(Protocol):
    """A network that maps a density (h, w) to heatmaps (classes, h / step, w / step)."""

    @property
    def architecture(self) -> Architecture:
        """What it was built from."""

    def __call__(self, density: Float32) -> Float32:
        """Heatmaps of a density whose sides fit the architecture's multiple."""

    def inside(self, density: Float32, window: tuple[slice, slice]) -> Float32:
        """Heatmaps of a window, in coarse cells, of a density whose sides fit the multiple."""

    def padded(self, density: Float32) -> Float32:
        """Heatmaps of a density of any size: empty slide is added below and right, then cut."""


@dataclass
class _Stored:
    """Weights in a file, and the network made of them once it is asked for."""

    path: Path
    sha256: str
    runtime: str
    _ready: Member | EightViews | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the file, not what was built from it."""
        return self.__dict__ | {"_ready": None}

    @property
    def shapes(self) -> Shapes:
        """Names and shapes that the file must hold."""
        raise NotImplementedError

    def check(self) -> None:
        """Read the file once and compare it with its hash and its architecture.

        Raises
        ------
        EnsembleError
            Missing, changed, foreign or not a file of weights.
        """
        self.weights()

    def weights(self) -> Weights:
        """Tensors of the file in single precision."""
        if not self.path.is_file():
            raise EnsembleError(f"{self.path}: member is missing; copy the whole ensemble folder again")
        content = self.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise EnsembleError(f"{self.path}: member differs from its hash in card.json; it was changed or damaged")
        return _fitting(content, self.shapes, self.path)


@dataclass
class StoredMember(_Stored):
    """A member of an ensemble folder.

    Attributes
    ----------
    path : Path
    sha256 : str
        What the file must hash to.
    runtime : {"torch", "openvino"}
    architecture : Architecture
    """

    architecture: Architecture = field(default_factory=Architecture)

    @property
    def shapes(self) -> Shapes:
        """Names and shapes that the file must hold."""
        return tensors_of(self.architecture)

    def __call__(self, density: Float32) -> Float32:
        """Heatmaps (classes, h / step, w / step) of a density (h, w) whose sides fit the multiple."""
        return self._network()(density)

    def inside(self, density: Float32, window: tuple[slice, slice]) -> Float32:
        """Heatmaps of a window, in coarse cells, of a density whose sides fit the multiple."""
        return self._network().inside(density, window)

    def _network(self) -> Member:
        if self._ready is None:
            self._ready = _member(self.runtime, self.architecture, self.weights())
        return cast(Member, self._ready)

    def padded(self, density: Float32) -> Float32:
        """Heatmaps of a density of any size: empty slide is added below and right, then cut."""
        return padded(self, density)


@dataclass
class StoredVerifier(_Stored):
    """A verifier of an ensemble folder; attributes as of a member."""

    architecture: VerifierArchitecture = field(default_factory=lambda: VerifierArchitecture(Architecture()))

    @property
    def side(self) -> int:
        """Edge of the crops in pixels."""
        return self.architecture.side

    @property
    def shapes(self) -> Shapes:
        """Names and shapes that the file must hold."""
        return verifier_tensors_of(self.architecture)

    def __call__(self, crops: Float32) -> Float32:
        """Probabilities (n, classes + 1) of crops (n, side, side), each turned and mirrored in eight ways."""
        return self._network()(crops)

    def glance(self, crops: Float32) -> Glance:
        """What the probabilities can be at least and at most, for less work."""
        return self._network().glance(crops)

    def finish(self, crops: Float32, seen: Glance) -> Float32:
        """What a call gives, where a glance was cast at the same crops already."""
        return self._network().finish(crops, seen)

    def _network(self) -> EightViews:
        if self._ready is None:
            self._ready = _verifier(self.runtime, self.architecture, self.weights())
        return cast(EightViews, self._ready)


def padded(member: Member, density: Float32) -> Float32:
    """Heatmaps of a density of any size: empty slide is added below and right, then cut."""
    multiple, step = member.architecture.multiple, member.architecture.step
    height, width = density.shape
    below, beside = -height % multiple, -width % multiple
    whole = np.pad(density, ((0, below), (0, beside))) if below or beside else density
    return member(whole)[:, : -(-height // step), : -(-width // step)]


def _member(runtime: str, architecture: Architecture, weights: Weights) -> Member:
    if runtime == "openvino":
        from cytally.inference.graph import GraphMember

        return GraphMember(architecture, weights)
    from cytally.inference.runtime import torch_member

    return torch_member(architecture, weights)


def _verifier(runtime: str, architecture: VerifierArchitecture, weights: Weights) -> EightViews:
    if runtime == "openvino":
        from cytally.inference.graph import GraphVerifier

        return GraphVerifier(architecture, weights)
    from cytally.inference.runtime import torch_verifier

    return torch_verifier(architecture, weights)


def _fitting(content: bytes, shapes: Shapes, path: Path) -> Weights:
    """The tensors of a safetensors file, where they are those of the architecture."""
    try:
        parts: list[tuple[str, dict[str, Any]]] = deserialize(content)  # type: ignore[no-untyped-call]
        stored = {name: part for name, part in parts if not name.endswith("num_batches_tracked")}
        tensors = {name: _single(part) for name, part in stored.items()}
    except (SafetensorError, ValueError, KeyError) as error:
        raise EnsembleError(f"{path}: does not fit the architecture in card.json: {error}") from error
    lost, more = sorted(set(shapes) - set(tensors)), sorted(set(tensors) - set(shapes))
    if lost or more:
        raise EnsembleError(f"{path}: a foreign member; missing {lost}, unknown {more}")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise EnsembleError(
                f"{path}: does not fit the architecture in card.json: "
                f"expected {name} of shape {shape}, got {tensors[name].shape}"
            )
    return tensors


def _single(part: dict[str, Any]) -> Float32:
    """One stored tensor in single precision; numpy itself knows no bfloat16."""
    if part["dtype"] == "BF16":
        upper = np.frombuffer(part["data"], "<u2").astype(np.uint32) << 16
        return upper.view(np.float32).reshape(part["shape"])
    if part["dtype"] not in _KINDS:
        raise ValueError(f"expected floating tensors, got {part['dtype']}")
    return np.frombuffer(part["data"], _KINDS[part["dtype"]]).astype(np.float32).reshape(part["shape"])


def runtime_for(wanted: str = "auto") -> str:
    """Which runtime looks: OpenVINO on a processor that it is made for, torch elsewhere and on a GPU.

    Parameters
    ----------
    wanted : {"auto", "torch", "openvino"}

    Raises
    ------
    SettingsError
        The runtime asked for, or any at all, is not installed, or the name is unknown.
    """
    if wanted not in RUNTIMES:
        raise SettingsError(f"expected a runtime among {', '.join(RUNTIMES)}, got {wanted!r}")
    there = {name: _installed(name) for name in ("openvino", "torch")}
    if wanted != "auto":
        if not there[wanted]:
            other = "torch" if wanted == "openvino" else "openvino"
            raise SettingsError(f"the runtime {wanted} is not installed: pip install {wanted}, or choose {other}")
        return wanted
    if not any(there.values()):
        raise SettingsError("no runtime is installed: pip install openvino or torch")
    made_for = platform.machine().lower() in ("x86_64", "amd64")
    pays = there["openvino"] and made_for and not (there["torch"] and _has_gpu())
    return "openvino" if pays or not there["torch"] else "torch"


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ValueError, ImportError):
        return False


def _has_gpu() -> bool:
    """Whether torch would look on a GPU; it is only asked where a driver of one is installed."""
    if shutil.which("nvidia-smi") is None and not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())


def described(runtime: str) -> str:
    """A runtime, its version and its number format, for the record."""
    if runtime == "openvino":
        from cytally.inference.graph import precision

        return f"openvino {metadata.version('openvino')}, {precision()}"
    from cytally.precision import preferred_dtype

    return f"torch {metadata.version('torch')}, {str(preferred_dtype()).removeprefix('torch.')}"


def set_threads(count: int | None = None) -> None:
    """Threads of networks that are built from now on; None: every core that this process may use."""
    _THREADS["count"] = count


def threads() -> int:
    """Threads that a network uses."""
    if _THREADS["count"] is not None:
        return _THREADS["count"]
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(int(allowed), cores) if allowed.isdigit() and int(allowed) > 0 else cores
