"""The command `fastmlp`, which is `python -m fastmlp`, too."""

import os
import signal


def main() -> None:
    """Run the command line as a process of its own."""
    # Until a command begins there is nothing to lose, and an exception in the middle of an import
    # may come out as any other.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    from fastmlp.cli import run

    run()


if __name__ == "__main__":
    main()
