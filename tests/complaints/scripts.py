"""How tests run a script as a user does."""

import os
import subprocess
import sys
import textwrap


def run_script(script, **environment):
    """Run a script in a new process, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
