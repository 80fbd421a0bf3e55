"""What tests share: real images where they are, small ensembles, small labelled folders."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from tests.cases.handmade import grey_tags, tiff

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.inference.card import Card, Thresholds
from cytally.inference.ensemble import write_ensemble
from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import save_tensors, weights_of

settings.register_profile("cytally", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("cytally")
torch.set_num_threads(1)

SMALL = {"classes": 2, "filters": 2, "depth": 3, "stem": "unshuffle", "widest": 16}


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real images; tests that need it are skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("CYTALLY_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder}; set CYTALLY_DATA")
    return folder


@pytest.fixture(scope="session")
def handmade():
    """TIFF bytes from lists of tags."""
    return tiff


@pytest.fixture(scope="session", name="grey_tags")
def tags_of_a_grey_page():
    """Tags of a grey page of h x w bytes at an offset."""
    return grey_tags


@pytest.fixture(scope="session")
def shipped():
    """The ensemble that ships with the package."""
    return load_ensemble()


def untrained(folder: Path, members: int = 4, agreement: int = 2, confidence: float = 0.5) -> Path:
    """An ensemble folder of small random networks that fire here and there."""
    torch.manual_seed(7)
    files = []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(members):
        network = UNet(Architecture(**SMALL))
        torch.nn.init.normal_(network.head.weight, std=2.0)
        torch.nn.init.constant_(network.head.bias, -1.0)
        path = folder / f"epoch_{number:03d}.safetensors"
        save_tensors(path, weights_of(network))
        files.append(path)
    card = Card(
        name="random",
        task="dosimetry",
        classes=["dicentric", "fragment"],
        arguments=SMALL,
        members=[],
        normalisation={"size": 26.0, "pixel_um": 0.146},
        thresholds=Thresholds(confidence=[[confidence] * 2] * members, agreement=[agreement] * 2),
    )
    write_ensemble(folder / "ensemble", card, files)
    return folder / "ensemble"


@pytest.fixture
def random_ensemble(tmp_path):
    """Folder of an untrained ensemble."""
    return untrained(tmp_path / "random")


@pytest.fixture
def rng():
    return np.random.default_rng(0)
