"""The command `fastmlp`, which is `python -m fastmlp`, too."""

import os
import signal
import sys


def main() -> None:
    """Run the command line as a process of its own."""
    # Until a command begins there is nothing to lose, and an exception in the middle of an import
    # may come out as any other.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    from fastmlp._extras import require

    try:
        require("the command fastmlp", "cli", "click", "rich")
    except ImportError as error:
        print(f"fastmlp: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    from fastmlp.cli import run

    run()


if __name__ == "__main__":
    main()
