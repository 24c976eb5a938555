"""`python3 -m devcluster` before anything is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devcluster import __main__ as command_line


def test_the_package_runs_on_the_standard_library_alone() -> None:
    checkout = Path(command_line.__file__).parent.parent
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(checkout)!r}); import devcluster.__main__",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
