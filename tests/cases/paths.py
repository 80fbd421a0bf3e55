"""Training runs small enough to write: networks whose weights take random steps."""

import json
from dataclasses import asdict

import torch

from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import member_path, save_tensors, weights_of

PLAIN = Architecture(classes=2, filters=2, depth=4, widest=16)


def a_run(folder, epochs, step=0.05, seed=1):
    """A folder as a training leaves it, with so many epochs; biases let the networks fire here and there."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = UNet(PLAIN)
    torch.nn.init.normal_(network.head.weight, std=0.8)
    torch.nn.init.constant_(network.head.bias, -2.0)
    (folder / "run.json").write_text(json.dumps({"settings": {"architecture": asdict(PLAIN), "seed": 1}}))
    for epoch in range(1, epochs + 1):
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(step * torch.randn_like(weight))
        save_tensors(member_path(folder, epoch), weights_of(network), {"epoch": epoch})
    return folder
