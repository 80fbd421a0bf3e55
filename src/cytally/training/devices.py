"""Where a network is trained: one processor, one GPU, or several processes that share each batch."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import torch
from lightning_fabric import Fabric
from torch import nn

from cytally.precision import preferred_dtype


def lightning(devices: int = 0, *, single: bool = False) -> Fabric:
    """Fabric in bfloat16 where the machine multiplies in it, in float32 elsewhere.

    Parameters
    ----------
    devices : int
        GPUs, or processes on a machine without one; 0: every GPU, or one process.
    single : bool
        One device whatever there is.
    """
    count = 1 if single else devices or torch.cuda.device_count() or 1
    precision = "bf16-mixed" if preferred_dtype() is torch.bfloat16 else "32-true"
    return Fabric(accelerator="auto", devices=count, precision=precision)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, where Fabric has wrapped it."""
    inner = getattr(network, "module", network)
    return inner if isinstance(inner, nn.Module) else network


def only_the_first_goes_on(fabric: Fabric) -> None:
    """End every process but the first: thresholds and cards are one process's work."""
    if fabric.world_size == 1:
        return
    fabric.barrier()
    torch.distributed.destroy_process_group()
    if not fabric.is_global_zero:
        sys.exit(0)


def shared(fabric: Fabric, numbers: Iterable[int], own: Mapping[int, float]) -> dict[int, float]:
    """What all processes know together of some cells: each has seen another part of them.

    Parameters
    ----------
    fabric : Fabric
    numbers : iterable of int
        Cells, in the same order in every process.
    own : mapping of int to float
        What this process has seen in this epoch.

    Returns
    -------
    dict of int to float
        The greatest over processes, of the cells that any of them has seen.
    """
    order = list(numbers)
    values = torch.tensor([own.get(number, -torch.inf) for number in order])
    gathered = fabric.all_gather(values) if fabric.world_size > 1 else values
    greatest = gathered.reshape(-1, len(order)).amax(dim=0).tolist()
    return {number: value for number, value in zip(order, greatest, strict=True) if value > -torch.inf}
