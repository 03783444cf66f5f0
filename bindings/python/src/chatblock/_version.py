"""Which library is running, and whether this package was made for it."""

from __future__ import annotations

from . import _native as native

__version__ = "0.1.0"


def version() -> str:
    """The version of the library that is running, for example "0.1.0"."""
    return str(native.version().decode())


def _check() -> None:
    # Before 1.0 the minor version says which functions there are.
    if version().split(".")[:2] != __version__.split(".")[:2]:
        raise ImportError(f"chatblock {__version__} does not work with libchatblock {version()}")


_check()
