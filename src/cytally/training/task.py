"""What a network learns, as one noun: the loop asks a task for everything that differs between learners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from cytally.progress import Progress

Item = TypeVar("Item")
Batch = TypeVar("Batch")
#: A line of the learning curve: epoch, loss, seconds, and what `after_epoch` adds.
Row = dict[str, float]


@dataclass(frozen=True)
class Share:
    """One of several processes that train one network together.

    Attributes
    ----------
    rank : int
        Number of the process, from 0.
    world : int
        Number of processes.
    """

    rank: int = 0
    world: int = 1

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of this process: as many as each other process gets, the last few are left out.

        Examples
        --------
        >>> Share(1, 2).of("abcde")
        'bd'
        """
        return items[: len(items) // self.world * self.world][self.rank :: self.world]


class Task(ABC, Generic[Item, Batch]):
    """One learner: its network, its examples, its loss. `loop.fit` does the rest.

    An item says which examples make up a batch (small, such as their numbers); a batch is a frozen
    dataclass that holds their tensors. Random numbers must follow from the epoch alone, so that an
    interrupted run ends with the weights of an uninterrupted one.

    Attributes
    ----------
    epochs : int
        Most epochs.
    title : str
        Name of the learner in progress messages.
    several : bool
        Whether several devices may share each epoch.
    free : tuple of str
        Names in `identity` that may differ when a run resumes.
    """

    epochs: int
    title: str = ""
    several: bool = False
    free: tuple[str, ...] = ()

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """Everything that decides the result, as JSON can hold it: compared when a run resumes."""

    @abstractmethod
    def network(self) -> nn.Module:
        """The network before its first step, the same at each call."""

    @abstractmethod
    def optimiser(self, network: nn.Module) -> Optimizer:
        """Adam or AdamW over the network's parameters; the loop sets the learning rate."""

    @abstractmethod
    def items(self, epoch: int, share: Share) -> Sequence[Item]:
        """What this process shows in an epoch (counted from 1), in order."""

    @abstractmethod
    def batch(self, item: Item) -> Batch:
        """Tensors of an item. Called in the order of items, in a thread beside the network."""

    @abstractmethod
    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Learning rate of a step (counted from 0) among those of its epoch (counted from 1)."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Batch, fabric: Fabric) -> Tensor:
        """What the step makes smaller, a scalar; `fabric.to_device` moves the tensors of the batch."""

    def running(self, progress: Progress) -> AbstractContextManager[None]:
        """Whatever must be at work during the epochs, such as processes that make examples."""
        return nullcontext()

    def after_epoch(self, network: nn.Module, fabric: Fabric) -> Row:
        """What the learning curve says beside the loss, such as the loss on validation fields."""
        return {}

    def kept(self, rows: Sequence[Row]) -> set[int]:
        """Epochs whose weights stay on disk."""
        return {int(row["epoch"]) for row in rows[-1:]}

    def finished(self, rows: Sequence[Row]) -> bool:
        """Whether to stop before the last epoch."""
        return False

    def notes(self) -> dict[str, object]:
        """What the task must know again when the run resumes, as JSON can hold it."""
        return {}

    def restore(self, notes: Mapping[str, object]) -> None:
        """Take back what `notes` gave, before the first epoch of a resumed run."""
        return None
