"""Connections of ADBC drivers: opened by an address, asked a query, their errors in plain words."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, unquote

from bactrian.errors import DataError, DataTypeError

__all__ = ["asked", "connected", "is_sqlite"]

_DRIVERS = {
    "postgresql": "adbc_driver_postgresql",
    "postgres": "adbc_driver_postgresql",
    "sqlite": "adbc_driver_sqlite",
}
_KNOWN = "'postgresql://user@host/database' or 'sqlite:///file.db'"


@contextmanager
def connected(given: Any) -> Generator[Any, None, None]:
    """Give a connection; one that is made here is closed again.

    Parameters
    ----------
    given : str or ADBC connection
        An address, or a connection that is left open.

    Raises
    ------
    DataError
        An address of an unknown kind; a driver that is not installed; no such database, or none
        that answers.
    DataTypeError
        Not a connection of an ADBC driver.
    """
    if isinstance(given, str):
        with closing(_connect(given)) as connection:
            yield connection
    elif _is_adbc(given):
        yield given
    else:
        raise DataTypeError(
            f"a connection of type {type(given).__module__}.{type(given).__qualname__} is not "
            f"one of an ADBC driver: pass an address such as {_KNOWN}, or a connection of "
            "adbc_driver_postgresql.dbapi or adbc_driver_sqlite.dbapi"
        )


@contextmanager
def asked(connection: Any, sql: str, address: object) -> Generator[Any, None, None]:
    """Give the reader of the Arrow record batches with which a query is answered.

    Parameters
    ----------
    connection : ADBC connection
        Open.
    sql : str
        The query.
    address : str or other
        How the connection was asked for; its password is kept out of messages.

    Raises
    ------
    DataError
        The query fails, or breaks off; one sentence.
    """
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute(sql)
            yield cursor.fetch_record_batch()
        except (connection.Error, OSError) as error:  # Arrow raises the latter
            reason = _reason(error, address)
            raise DataError(f"the query fails ({reason}): try it in the database itself") from None


def is_sqlite(connection: Any) -> bool:
    """Return whether a connection is one to SQLite, where each value has a type of its own."""
    return bool(connection.adbc_get_info().get("vendor_name") == "SQLite")


def _connect(address: str) -> Any:
    """A connection to the database at an address."""
    scheme, mark, rest = address.partition("://")
    if not mark or scheme not in _DRIVERS:
        what = f"the scheme {scheme!r} is unknown" if mark else "the address has no scheme"
        raise DataError(f"{what}: name the database as {_KNOWN}, or pass an ADBC connection")
    module = _DRIVERS[scheme]
    try:
        driver: Any = importlib.import_module(f"{module}.dbapi")
    except ImportError:
        raise DataError(
            f"a database is read through {module}, which is not installed: run "
            "pip install 'bactrian[database]'"
        ) from None
    target = _sqlite_file(rest) if scheme == "sqlite" else address
    try:
        return driver.connect(target)
    except driver.Error as error:
        raise DataError(
            f"the database cannot be reached ({_reason(error, address)}): check its address, and "
            "whether it is running"
        ) from None


def _reason(error: Exception, address: object) -> str:
    """The first line of an error, without the words of the driver and without passwords."""
    text = str(error).strip() or type(error).__name__
    found = re.search(r"(?:ERROR|FATAL):\s*(.*)", text)
    line = found[1] if found else text.splitlines()[0]
    line = re.sub(r"^(?:[A-Z_]+: )?(?:\[\w+\] )?", "", line)
    line = re.sub(r"^Failed to \w+(?: query)?: ", "", line)
    for secret in _secrets(address):
        line = line.replace(secret, "***")
    return line.rstrip(". ")


def without_passwords(words: str) -> str:
    """Return words with *** for the password of an address of a database."""
    if "://" not in words:
        return words
    shown = words
    for secret in _secrets(words):
        shown = shown if secret == words else shown.replace(secret, "***")
    return shown


def _is_adbc(connection: object) -> bool:
    """Whether an object is a connection of an ADBC driver; imports none."""
    modules = {base.__module__.partition(".")[0] for base in type(connection).__mro__}
    return "adbc_driver_manager" in modules and hasattr(connection, "cursor")


def _sqlite_file(rest: str) -> str:
    """The address by which SQLite opens a file to read, and does not make one."""
    path = unquote(rest.removeprefix("/").partition("?")[0])
    if not os.path.isfile(path):
        raise DataError(
            f"there is no database {path!r}: check the path, e.g. 'sqlite:///file.db' beside you "
            "or, with four strokes, from the root"
        )
    return f"file:{quote(path)}?mode=ro"


def _secrets(address: object) -> list[str]:
    """What must not be shown of an address: it and its password, as written and as meant."""
    if not isinstance(address, str):
        return []
    # Also of an address that no one can parse, which is when it is talked about.
    found = re.findall(r"://[^:/@]*:(.*)@", address) + re.findall(r"password=([^&]*)", address)
    secrets = {address, *found, *map(unquote, found), *map(quote, found)} - {""}
    return sorted(secrets, key=len, reverse=True)
