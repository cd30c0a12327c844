"""`python -m bof COMMAND ...` is `bof COMMAND ...`."""

import sys

from bof.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
