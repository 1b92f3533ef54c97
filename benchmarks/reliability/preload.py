"""Everything that the commands import, loaded once in the process that the others are forked from.

Importing this module loads PyTorch, so only the server of forks does.
"""

import mondegreen.cli.channels
import mondegreen.cli.compare
import mondegreen.cli.data_info
import mondegreen.cli.evaluate
import mondegreen.cli.train_classifier
import mondegreen.cli.train_generator
import mondegreen.cli.train_universal

__all__ = ["mondegreen"]
