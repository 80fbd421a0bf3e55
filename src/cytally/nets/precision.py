"""In which number format this machine multiplies fastest."""

from __future__ import annotations

import torch


def preferred_dtype() -> torch.dtype:
    """bfloat16 where processor or GPU multiply in it, float32 elsewhere (there it would only be emulated)."""
    if torch.cuda.is_available():
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return torch.bfloat16 if fast else torch.float32
