"""Names and numbers are those of the library."""

from __future__ import annotations

import builtins

import pytest

import chatblock
from chatblock import Relation, Status
from chatblock import _native as native
from chatblock._errors import error_of


@pytest.mark.parametrize("status", list(Status))
def test_statuses_are_named_as_the_library_names_them(status: Status) -> None:
    assert native.status_name(status).decode() == f"CHATBLOCK_{status.name}"


def test_every_status_of_the_library_has_a_name_here() -> None:
    known = [n for n in range(-100, 100) if native.status_name(n) != b"CHATBLOCK_ERR_?"]
    assert known == sorted(Status)


def test_a_number_of_a_later_library_is_kept() -> None:
    assert Status(-99) == -99
    assert Status(-99).name == "-99"
    assert Relation(77) == 77
    assert type(error_of(chatblock.Result(Status(-99)))) is chatblock.Error


def test_the_package_has_the_version_of_the_library() -> None:
    assert chatblock.__version__ == chatblock.version()
    number = native.version_number()
    assert f"{number >> 16}.{number >> 8 & 0xFF}.{number & 0xFF}" == chatblock.__version__


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.ERR_ARGUMENT, ValueError),
        (Status.ERR_CONFIG, ValueError),
        (Status.ERR_TIMEOUT, builtins.TimeoutError),
    ],
)
def test_errors_are_also_what_python_calls_them(status: Status, kind: type[Exception]) -> None:
    error = error_of(chatblock.Result(status, message="why"))
    assert isinstance(error, kind)
    assert str(error) == f"{status.name}: why"
