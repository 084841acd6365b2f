"""The command: ``nnom``, or ``python -m nnom``."""

import signal
import sys

from . import _nnom


def main() -> int:
    """Runs the command with the words that this program was started with."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _nnom.command(["nnom", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
