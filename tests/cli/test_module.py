"""The package runs as a module, where the command is not on the path."""

import subprocess
import sys

import cytally


def test_python_m_cytally_is_the_command():
    done = subprocess.run([sys.executable, "-m", "cytally", "--version"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(cytally.__version__)
    assert (
        "__main__"
        not in subprocess.run(
            [sys.executable, "-m", "cytally", "--help"], capture_output=True, text=True, check=True
        ).stdout
    )
