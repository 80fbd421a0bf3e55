"""`cytally doctor`: what this machine has, and what to do about each gap."""

from __future__ import annotations

import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

import click

from cytally import __version__
from cytally.cli.main import cli
from cytally.errors import EnsembleError, SettingsError
from cytally.wording import counted

_PACKAGES = (
    "torch",
    "lightning-fabric",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "openvino",
    "tifffile",
)
#: Of the extra livecell, and what they are for.
_EXTRAS = {"laptrack": "tracks of living cells", "imageio-ffmpeg": "movies as MP4"}


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Show versions, processor, GPU, disk, the shipped ensemble, and what is missing.

    \b
    Example:
      cytally doctor
    """
    findings = {
        "cytally": __version__,
        "python": platform.python_version(),
        **_versions(),
        **_machine(),
        **_ensemble(),
    }
    if as_json:
        click.echo(json.dumps(findings, indent=1))
        return
    width = max(len(name) for name in findings)
    for name, value in findings.items():
        click.echo(f"{name:<{width}}  {value}")


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = f"missing: pip install {name}"
    for name, use in _EXTRAS.items():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = f"not installed, needed for {use}: pip install 'cytally[livecell]'"
    return found


def _machine() -> dict[str, str]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        **_learning(),
        "networks look on": _looking(),
        "free disk": f"{free:.0f} GB" + ("" if free > 2 else ": less than 2 GB, runs may not fit"),
    }


def _learning() -> dict[str, str]:
    """What networks learn on."""
    from cytally.precision import preferred_dtype

    try:
        kind = str(preferred_dtype()).removeprefix("torch.")
    except SettingsError as error:
        return {"GPU": "not known without torch", "networks learn in": f"nothing: {error}"}
    import torch

    there = torch.cuda.is_available()
    gpu = torch.cuda.get_device_name() if there else "none (scoring needs none; training is slower)"
    return {"GPU": gpu, "networks learn in": kind}


def _looking() -> str:
    from cytally.inference.members import described, runtime_for

    try:
        return described(runtime_for())
    except SettingsError as error:
        return f"nothing: {error}"


def _ensemble() -> dict[str, str]:
    from cytally.dosimetry.detectors.ensemble import load_ensemble

    try:
        card = load_ensemble().card
    except (EnsembleError, SettingsError) as error:
        return {"shipped ensemble": f"{error}; install cytally again"}
    return {"shipped ensemble": f"{card.name}, {counted(len(card.members), 'members')}, detector {card.identity}"}
