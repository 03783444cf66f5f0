"""What was not done, as exceptions: one class for each thing that a caller does about it."""

from __future__ import annotations

import builtins

from ._values import Result, Status


class Error(Exception):
    """A call was not done. Also raised itself, for what no class below stands for: see `status`."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result
        """Everything that is known, the items and the service's JSON among it."""

    @property
    def status(self) -> Status:
        """Why, as a number with a name; negative."""
        return self.result.status

    @property
    def service_code(self) -> int:
        """The service's own code, for example 30013 for a full list; 0 when there is none."""
        return self.result.service_code

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.result.retryable

    @property
    def message(self) -> str:
        """A sentence for people. Not for branching."""
        return self.result.message

    def __str__(self) -> str:
        return f"{self.status.name}: {self.message}"


class ArgumentError(Error, ValueError):
    """Fix the call: the message names the argument or the member of the request. Nothing was sent."""


class ConfigError(Error, ValueError):
    """Fix the configuration: the message names the key or file."""


class ServiceError(Error):
    """The service refused: see `service_code`, `retryable` and the items."""


class NetworkError(Error):
    """No connection (`ERR_CONNECT`: nothing was sent) or no valid answer (`ERR_NETWORK`: a write may have
    happened). The same call may be repeated."""


class TimeoutError(Error, builtins.TimeoutError):
    """Out of time; a write may have happened. The same call may be repeated."""


class QueuedError(Error):
    """Not answered yet; the write is recorded in the outbox and will be sent: do not repeat it. `service_code` is the
    last one seen."""


class BusyError(Error):
    """Too many calls are waiting, nothing was accepted: try again later."""


class ClosedError(Error):
    """The client is closed. A call that was under way then may have happened."""


class StorageError(Error):
    """The file of the store or of the outbox failed: the message names it."""


class SignatureError(Error):
    """A UserSig or a webhook did not verify: the message says why."""


_CLASSES: dict[Status, type[Error]] = {
    Status.ERR_ARGUMENT: ArgumentError,
    Status.ERR_REQUEST: ArgumentError,
    Status.ERR_CONFIG: ConfigError,
    Status.ERR_SERVICE: ServiceError,
    Status.ERR_NETWORK: NetworkError,
    Status.ERR_CONNECT: NetworkError,
    Status.ERR_TIMEOUT: TimeoutError,
    Status.ERR_QUEUED: QueuedError,
    Status.ERR_BUSY: BusyError,
    Status.ERR_CLOSED: ClosedError,
    Status.ERR_STORAGE: StorageError,
    Status.ERR_SIGNATURE: SignatureError,
}

# For functions that answer with a bare status.
_SENTENCES: dict[Status, str] = {
    Status.ERR_ARGUMENT: "an argument is empty, too long, out of range or not an account",
    Status.ERR_REQUEST: "the request is not as the command wants it",
    Status.ERR_TIMEOUT: "not done in the time given; it goes on",
    Status.ERR_BUSY: "too many calls are waiting, nothing was accepted; try again later",
    Status.ERR_CLOSED: "the client is closed",
    Status.ERR_STORAGE: "the store or the outbox failed",
    Status.ERR_UNSUPPORTED: "not supported on this platform or backend",
    Status.ERR_FORKED: "the client belongs to the process that opened it; open another one after a fork",
    Status.ERR_PANIC: "a bug in the library; close the client and report it",
}

_RETRYABLE = (Status.ERR_TIMEOUT, Status.ERR_BUSY)


def error_of(result: Result) -> Error:
    """The exception for a result that is negative."""
    return _CLASSES.get(result.status, Error)(result)


def error_of_status(number: int) -> Error:
    """The exception for a negative status that came without a result."""
    status = Status(number)
    message = _SENTENCES.get(status, "not done")
    return error_of(Result(status, message=message, retryable=status in _RETRYABLE))


def argument_error(message: str) -> Error:
    """The exception for an argument that is refused before the library sees it."""
    return error_of(Result(Status.ERR_ARGUMENT, message=message))


def closed_error() -> Error:
    """The exception for a client that is closed."""
    return error_of_status(Status.ERR_CLOSED)


def checked(result: Result) -> Result:
    """The result, unless it is negative: then its exception is raised."""
    if result.status < 0:
        raise error_of(result)
    return result
