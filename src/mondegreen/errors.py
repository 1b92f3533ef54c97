"""The one exception that users of the command line are meant to see."""


class MondegreenError(Exception):
    """A problem the user can solve: bad input, a missing file, an impossible option.

    The message names the file or the option, says what was wrong and what to do about it. The
    command line prints it without a traceback and exits with code 2.
    """


class PeerEndedError(MondegreenError):
    """Another process of the same command ended, so this one cannot go on."""


class MissingExtraError(MondegreenError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the package {package!r} is not installed; run: pip install 'mondegreen[{extra}]'"
        )
