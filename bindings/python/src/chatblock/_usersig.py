"""Signatures with which players log in."""

from __future__ import annotations

from . import _native as native
from ._border import read, text, unsigned
from ._errors import checked


def generate_usersig(sdkappid: int, secret_key: str, identifier: str, expire_s: int) -> str:
    """Make the signature with which a player logs in. It is a secret: do not log it.

    `identifier` is the user, 1 to 32 bytes; `expire_s` the life of the signature in seconds, at most 50
    years. Raises `ArgumentError`. A client signs its own calls by itself.
    """
    answer = native.usersig_generate(
        unsigned(sdkappid, "sdkappid"),
        text(secret_key, "secret_key"),
        text(identifier, "identifier"),
        unsigned(expire_s, "expire_s"),
    )
    checked(read(answer))
    return str(native.result_usersig(answer).decode())


def verify_usersig(sdkappid: int, secret_key: str, identifier: str, usersig: str) -> None:
    """Return when the signature was made with this key, for this app and user, and is still valid.

    Raises `SignatureError` with a message in plain words and a `service_code`: 70003 not a signature,
    70014 other app, 70013 other user, 70001 expired, 70009 other key; and `ArgumentError`.
    """
    answer = native.usersig_verify(
        unsigned(sdkappid, "sdkappid"),
        text(secret_key, "secret_key"),
        text(identifier, "identifier"),
        text(usersig, "usersig"),
    )
    checked(read(answer))
