"""In which number format this machine multiplies fastest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cytally.errors import SettingsError

if TYPE_CHECKING:
    import torch


def preferred_dtype() -> torch.dtype:
    """bfloat16 where processor or GPU multiply in it, float32 elsewhere (there it would only be emulated).

    A processor that has the instructions may be told not to use them (ATEN_CPU_CAPABILITY,
    ONEDNN_MAX_CPU_ISA): bfloat16 is then emulated too, twenty times slower than float32.

    Raises
    ------
    SettingsError
        torch is not installed, or cannot be loaded.
    """
    try:
        import torch
    except (ImportError, OSError) as error:  # a library of the system is missing
        raise SettingsError(f"torch cannot be loaded ({error}): pip install torch") from error

    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    allowed = torch.backends.cpu.get_cpu_capability() == "AVX512" and bfloat16_allowed()
    return torch.bfloat16 if has and allowed else torch.float32


def bfloat16_allowed() -> bool:
    """Whether ONEDNN_MAX_CPU_ISA lets convolutions use bfloat16, by the names of that library's manual."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    return limit in ("", "ALL", "DEFAULT") or "BF16" in limit or "AMX" in limit
