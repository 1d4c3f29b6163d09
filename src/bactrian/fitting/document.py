"""A fit as one JSON document, and back. Each of these functions is a method of ``Fit``."""

from __future__ import annotations

import json
import zlib
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

from bactrian.data.tables.made import BACKENDS
from bactrian.errors import DataError, DataTypeError
from bactrian.fitting.exact import exact_values, from_exact_values, whole
from bactrian.infer.bootstrap import Bootstrap
from bactrian.infer.intervals import Method
from bactrian.present.record import MINOR, VERSION

if TYPE_CHECKING:
    from bactrian.fitting.result import Fit

_AGAIN = "write it again with fit.to_json()"


def to_json(
    fit: Fit,
    level: float = 0.95,
    method: Method | Bootstrap = "wald",
    *,
    indent: int | None = None,
) -> str:
    """Return the fit as JSON text, from which ``Fit.from_json`` makes the same fit again.

    The document is the record of ``Fit.to_dict`` with an exact part beside it: the sample, the
    solution and the options, every number to the last bit. The record is for other programs, the
    exact part for this one. ``Fit.json_schema()`` describes both.

    Parameters
    ----------
    level, method
        Of the intervals in the record, as for ``confint``.
    indent : int, optional
        Spaces by which nested values are indented; one line if left out.

    Returns
    -------
    str
        Strict JSON, ASCII only.

    Raises
    ------
    ParameterError
        As ``confint``.
    """
    record = fit.to_dict(level, method)
    exact = {
        "column": fit.column,
        "n_missing": fit.n_missing,
        "library": fit.library,
        **exact_values(fit.solution, fit.options),
    }
    document = {
        "format": record.pop("format"),
        "format_minor": MINOR,
        **record,
        "exact": exact,
        "crc32": _checksum(exact),
    }
    return json.dumps(document, indent=indent, allow_nan=False)


def from_json(cls: type[Fit], text: str | bytes) -> Fit:
    """Return the fit that ``to_json`` wrote: it answers everything with the same bits.

    Nothing in the text is executed. Fields that this version does not know are ignored.

    Parameters
    ----------
    text : str or bytes
        The document itself, not the name of a file.

    Raises
    ------
    DataTypeError
        If it is neither text nor bytes.
    DataError
        If it is not JSON or no fit, is incomplete or was changed, or has a newer format.
    """
    document = _parsed(text)
    exact = _checked(document)
    try:
        solution, options = from_exact_values(exact)
        column, library = exact["column"], exact.get("library")
        if not (column is None or isinstance(column, str)):
            raise ValueError("the name of the column is no text")
        n_missing = whole(exact["n_missing"])
    except KeyError as error:
        _refuse(f"{error} is missing or unknown")
    except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        _refuse(str(error).partition(":")[0])
    known = library if library in BACKENDS else None
    return cls(solution, solution.problem.sample, column, n_missing, options, known)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what ``to_json`` and ``to_dict`` give.

    It ships as ``bactrian/present/fit.schema.json``.
    """
    text = resources.files("bactrian.present").joinpath("fit.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _parsed(text: Any) -> dict[str, Any]:
    """The document, if it is a fit of a format that is known here."""
    if not isinstance(text, str | bytes | bytearray):
        raise DataTypeError(
            f"from_json reads text, and this is of type {type(text).__name__}: pass what "
            "fit.to_json() returned."
        )
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(":")[0] or "it is nested too deep"
        raise DataError(
            f"The text is not whole JSON ({reason}): pass what fit.to_json() returned, read from "
            "its file with Path(name).read_text()."
        ) from None
    version = document.get("format") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DataError("The text is JSON but no fit: pass what fit.to_json() returned.")
    if version > VERSION:
        raise DataError(
            f"The fit was written by a newer Bactrian (format {version}; this one reads "
            f"{VERSION}): update it with pip install --upgrade bactrian."
        )
    found: dict[str, Any] = document
    return found


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """The exact part, as it was written."""
    exact = document.get("exact")
    if not isinstance(exact, dict):
        raise DataError(
            "The record has no exact part, as to_dict() and bactrian fit --json leave it out: "
            "write the fit with fit.to_json() or bactrian fit --output."
        )
    if document.get("crc32") not in (None, _checksum(exact)):
        raise DataError(
            f"The fit was changed after it was written, its checksum is another: {_AGAIN}."
        )
    return exact


def _checksum(exact: dict[str, Any]) -> int:
    """CRC-32 of the exact part, whatever the order of fields and the way numbers are written."""
    plain = json.dumps(_as_doubles(exact), sort_keys=True, separators=(",", ":"))
    return zlib.crc32(plain.encode("ascii"))


def _as_doubles(value: Any) -> Any:
    """The same values with every number a double: other programs write 1 for 1.0."""
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_constant(name: str) -> NoReturn:
    """Refuse what is no JSON, though Python's parser would take it."""
    raise ValueError(f"{name} is no number in JSON")


def _refuse(fault: str) -> NoReturn:
    """Say what is wrong with the exact part."""
    raise DataError(f"The text is not a whole fit ({fault}): {_AGAIN}.") from None
