# SPDX-License-Identifier: MIT OR Apache-2.0

"""Per-player block lists for game servers.

    with chatblock.Client({}) as client:
        client.add("ann", ["bob"])
        assert client.is_blocked("ann", "bob")

A `Client` may be used by any number of threads and event loops at once. Its calls wait for the answer;
those that end in `_async` are coroutines and never hold up their event loop. What was not done is a
`chatblock.Error`.
"""

from ._client import Client
from ._errors import (
    ArgumentError,
    BusyError,
    ClosedError,
    ConfigError,
    Error,
    NetworkError,
    QueuedError,
    ServiceError,
    SignatureError,
    StorageError,
    TimeoutError,
)
from ._usersig import generate_usersig, verify_usersig
from ._values import BlockedPairs, CheckType, Item, Relation, Result, Status
from ._version import __version__, version

__all__ = [
    "ArgumentError",
    "BlockedPairs",
    "BusyError",
    "CheckType",
    "Client",
    "ClosedError",
    "ConfigError",
    "Error",
    "Item",
    "NetworkError",
    "QueuedError",
    "Relation",
    "Result",
    "ServiceError",
    "SignatureError",
    "Status",
    "StorageError",
    "TimeoutError",
    "__version__",
    "generate_usersig",
    "verify_usersig",
    "version",
]
