"""``python -m mondegreen``."""

import sys

from mondegreen.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
