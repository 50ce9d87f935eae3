"""What may come out of code that is not ours, and must end neither a thread nor the process."""

from asyncio import CancelledError

#: Also a tool that calls sys.exit(), or whose own event loop was cancelled. Not KeyboardInterrupt,
#: which is the operator's.
FAILURES: tuple[type[BaseException], ...] = (
    Exception,
    SystemExit,
    GeneratorExit,
    CancelledError,
    BaseExceptionGroup,
)
