"""bfloat16 only where it is multiplied, not emulated."""

import os
import subprocess
import sys

import pytest

from cytally.precision import bfloat16_allowed

CODE = (
    "from cytally.precision import preferred_dtype; from cytally.inference.graph import precision; "
    "print(preferred_dtype(), precision())"
)


def test_a_processor_held_to_avx2_is_not_asked_for_bfloat16():
    environment = os.environ | {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["torch.float32", "float32"]


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        ("", True),
        ("ALL", True),
        ("default", True),
        ("AVX512_CORE_BF16", True),
        ("AVX512_CORE_AMX", True),
        ("AVX2", False),
        ("AVX2_VNNI", False),
        ("AVX512_CORE", False),
        ("AVX512_CORE_VNNI", False),
        ("SSE41", False),
    ],
)
def test_names_of_the_manual(monkeypatch, limit, allowed):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert bfloat16_allowed() is allowed
