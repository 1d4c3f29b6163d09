"""A fit goes through JSON, pickle and copy, and comes back with every bit."""

from __future__ import annotations

import copy
import importlib
import json
import math
import pickle
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bactrian as bt
from bactrian import cli
from bactrian.fitting.exact import _STATE
from tests.constrained import CASES
from tests.problems import draw, drawn_fit

SCHEMA = bt.Fit.json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SIX = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 100.0])


def sampling(**options: Any) -> bt.Fit:
    """A fit with sampling weights."""
    weights = np.random.default_rng(3).uniform(0.5, 2.0, draw("apart").size)
    return bt.fit(draw("apart"), sample_weight=weights, weight_kind="sampling", **options)


def of_many(**options: Any) -> bt.Fit:
    """A fit of so many rows that they are sketched."""
    x = np.random.default_rng(4).normal([0.0, 3.0], [1.0, 1.4], (20_000, 2))
    return bt.fit(x.ravel(), **options)


def with_gaps() -> bt.Fit:
    """A fit of a column with a name that needs care, and missing values."""
    name = 'odd "name", \\ \ud800 \u2028 ümläut\n'
    values = np.append(draw("three"), [np.nan] * 3)
    return bt.fit({name: values}, 3, column=name, missing="drop")


FITS: dict[str, Callable[[], bt.Fit]] = {
    "one component": lambda: bt.fit(draw("apart"), 1),
    "two": lambda: drawn_fit("apart"),
    "three, gaps, an odd name": with_gaps,
    "four": lambda: bt.fit(draw("three"), 4),
    "equal variances": lambda: drawn_fit("overlapping", equal_variances=True),
    "frequencies": lambda: bt.fit([1.0, 2.0, 3.0, 7.0, 8.0], sample_weight=[3, 5, 2, 6, 4]),
    "sampling weights": sampling,
    "many rows": of_many,
    "many rows, sampling weights": lambda: of_many(
        sample_weight=np.random.default_rng(5).uniform(0.5, 2.0, 40_000), weight_kind="sampling"
    ),
    "a sketch": lambda: bt.fit(bt.Sketch.of(draw("overlapping", 4000))),
    "wide bins": lambda: bt.fit(bt.Sketch.of(draw("apart", 4000), exponent=0)),
    "collapsed": lambda: bt.fit(SIX),
    "no maximum": lambda: bt.fit(draw("overlapping"), method="em", max_steps=2),
    "another method": lambda: bt.fit(draw("apart"), method="lbfgs"),
    "a far offset": lambda: bt.fit(1e9 + draw("apart")),
    "a tiny unit": lambda: bt.fit(1e-160 * draw("apart")),
    "a huge unit": lambda: bt.fit(1e160 * draw("apart")),
    **{
        f"constraints: {name}": lambda case=case: bt.fit(  # type: ignore[misc]
            draw(case.rows), case.n_components, **case.options
        )
        for name, case in CASES.items()
        if case.n_components == 2 and case.n_free < 5
    },
}
each = pytest.mark.parametrize("name", list(FITS))


@cache
def made(name: str) -> bt.Fit:
    """One of these fits, made once."""
    return FITS[name]()


def bits(value: Any) -> Any:
    """A value with all it holds as types, names and bytes: equal only where every bit is."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, float):
        return (type(value).__name__, struct.pack("<d", value))
    if is_dataclass(value) and not isinstance(value, type):
        kept = [(f.name, bits(getattr(value, f.name))) for f in fields(value)]
        return (type(value).__name__, kept)
    if isinstance(value, dict):
        return [(key, bits(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return (type(value).__name__, [bits(item) for item in value])
    return (type(value).__name__, value)


# --- there and back ------------------------------------------------------------------------------


@each
def test_a_fit_comes_back_with_every_bit(name: str) -> None:
    fit = made(name)
    text = fit.to_json()
    again = bt.Fit.from_json(text)
    assert bits(again) == bits(fit)
    assert again.to_json() == text
    assert str(again) == str(fit)


@pytest.mark.parametrize(
    "name", ["two", "four", "sampling weights", "a sketch", "constraints: mean 1"]
)
def test_what_comes_back_answers_with_the_same_bits(name: str) -> None:
    fit = made(name)
    again = bt.Fit.from_json(fit.to_json())
    pair = (1, 2)
    asked: list[Callable[[bt.Fit], Any]] = [
        lambda f: f.confint(),
        lambda f: f.covariance(),
        lambda f: f.threshold(components=pair, method="wald").estimates,
        lambda f: f.crossings(pair, method="wald"),
        lambda f: f.shape(pair),
        lambda f: f.derive(lambda m: m.means[1] - m.means[0]),
        lambda f: (f.aic, f.bic, f.icl, f.entropy),
        lambda f: f.certificate.gain_bound(),
        lambda f: f.quantile_residuals(f.mixture.means),
    ]
    if name == "two":
        asked += [
            lambda f: f.goodness_of_fit(3, rng=1),
            lambda f: f.confint(method=f.bootstrap(3, rng=1)),
            lambda f: f.derive(lambda m: m.means[0], method="profile"),
            lambda f: f.homogeneity_test(),
            lambda f: drawn_fit("apart", equal_variances=True).test_against(f),
        ]
    for question in asked:
        assert bits(question(again)) == bits(question(fit))


def test_the_state_is_written_in_the_order_in_which_it_is_packed() -> None:
    assert tuple(made("two").solution.state.layout) == _STATE


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)


@settings(max_examples=20)
@given(
    values=st.lists(numbers, min_size=8, max_size=30, unique=True),
    n_components=st.integers(1, 3),
    equal_variances=st.booleans(),
)
def test_any_fit_comes_back(values: list[float], n_components: int, equal_variances: bool) -> None:
    try:
        fit = bt.fit(values, n_components, equal_variances=equal_variances)
    except bt.DataError:
        return
    text = fit.to_json()
    assert bits(bt.Fit.from_json(text)) == bits(fit)
    VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy"])
@pytest.mark.parametrize("name", ["two", "sampling weights", "a sketch", "collapsed"])
def test_a_fit_is_pickled_and_copied(name: str, way: str) -> None:
    fit = made(name)
    ways: dict[str, Callable[[bt.Fit], bt.Fit]] = {
        "pickle": lambda f: pickle.loads(pickle.dumps(f)),
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
    }
    again = ways[way](fit)
    assert bits(again) == bits(fit)
    assert again.sample is again.solution.problem.sample
    assert not again.sample.local.flags.writeable
    assert not again.mixture.means.flags.writeable


# --- the schema ----------------------------------------------------------------------------------


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    record = json.loads(made("two").to_json())
    assert SCHEMA["$id"] == f"urn:bactrian:fit:{record['format']}.{record['format_minor']}"


@each
def test_the_schema_describes_the_document_and_the_record(name: str) -> None:
    fit = made(name)
    for document in (strict(fit.to_json()), fit.to_dict()):
        assert list(VALIDATOR.iter_errors(document)) == []


def test_the_schema_describes_what_the_command_line_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("duckdb")
    path = importlib.resources.files("bactrian.datasets") / "faithful.csv"
    assert cli.main(["fit", str(path), "--column", "waiting", "--json", "--threshold"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert "threshold" in printed
    VALIDATOR.validate(printed)
    assert undescribed(printed, SCHEMA) == []


def test_every_field_is_described() -> None:
    document = json.loads(made("many rows, sampling weights").to_json())
    assert undescribed(document, SCHEMA) == []
    assert undescribed({"format": 1, "surprise": 0}, SCHEMA) == ["surprise"]


def undescribed(value: Any, schema: Any, where: str = "") -> list[str]:
    """The paths of fields that the schema does not name."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = next((s for s in schema["anyOf"] if s != {"type": "null"}), schema)
        return [] if value is None else undescribed(value, schema, where)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [path for item in value for path in undescribed(item, items, where)]
    if not isinstance(value, dict) or where == "constraints":
        return []
    known = schema.get("properties", {})
    found = [key for key in value if key not in known]
    for key in set(value) & set(known):
        found += undescribed(value[key], known[key], key)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("certificate"),
        lambda d: d.update(format=2),
        lambda d: d.update(outcome="fine"),
        lambda d: d["exact"]["sample"].update(scale="big"),
        lambda d: d["exact"]["solution"].pop("state"),
        lambda d: d["estimates"][0].update(value="1"),
        lambda d: d.pop("format_minor"),
    ],
)
def test_the_schema_refuses_what_is_no_fit(change: Callable[[dict[str, Any]], Any]) -> None:
    document = json.loads(made("two").to_json())
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def strict(text: str) -> Any:
    """JSON without the words that Python's parser takes besides."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_the_record_is_that_of_to_dict() -> None:
    fit = made("collapsed")
    document = json.loads(fit.to_json())
    for added in ("format_minor", "exact", "crc32"):
        del document[added]
    assert document == fit.to_dict()
    assert None in document["certificate"].values()  # null there, a word in the exact part
    assert json.loads(fit.to_json())["exact"]["solution"]["certificate"]["decrement"] == "nan"


def test_the_intervals_of_the_record_are_those_asked_for() -> None:
    document = json.loads(made("two").to_json(0.5, "profile", indent=2))
    assert {(e["level"], e["method"]) for e in document["estimates"]} == {(0.5, "profile")}
    assert bits(bt.Fit.from_json(json.dumps(document))) == bits(made("two"))


# --- versions and damage -------------------------------------------------------------------------


def changed(change: Callable[[dict[str, Any]], Any]) -> str:
    """The text of a fit with something changed, and the checksum left out."""
    document = json.loads(made("two").to_json())
    del document["crc32"]
    change(document)
    return json.dumps(document)


def test_fields_of_a_newer_minor_version_are_ignored() -> None:
    def add(document: dict[str, Any]) -> None:
        document["format_minor"] = 7
        part = document["exact"]
        for place in (document, part, part["sample"], part["solution"], part["options"]):
            place["mood"] = {"a": [1]}
        part["solution"]["trace"][0]["mood"] = 1
        part["solution"]["state"]["mood"] = 1

    assert bits(bt.Fit.from_json(changed(add))) == bits(made("two"))


def test_numbers_may_be_written_by_another_program() -> None:
    document = json.loads(made("frequencies").to_json())

    def shorter(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shorter(value[key]) for key in reversed(value)}
        if isinstance(value, list):
            return [shorter(item) for item in value]
        is_whole = isinstance(value, float) and value.is_integer() and math.copysign(1, value) > 0
        return int(value) if is_whole else value

    assert bits(bt.Fit.from_json(json.dumps(shorter(document)))) == bits(made("frequencies"))


def test_a_newer_major_version_is_named_with_the_remedy() -> None:
    with pytest.raises(bt.DataError, match=r"newer Bactrian \(format 2; this one reads 1\): upda"):
        bt.Fit.from_json(changed(lambda d: d.update(format=2)))


@pytest.mark.parametrize("end", range(0, 4000, 397))
def test_a_truncated_document_is_refused(end: int) -> None:
    with pytest.raises(bt.DataError, match=r"^The text is not whole JSON \([^()]+\): pass"):
        bt.Fit.from_json(made("two").to_json()[:end])


@pytest.mark.parametrize(
    "text",
    ["", "fit.json", "NaN", "[" * 100_000, b"\xff\xfe", "{'format': 1}", '{"format": Infinity}'],
)
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(bt.DataError, match="not whole JSON"):
        bt.Fit.from_json(text)


@pytest.mark.parametrize(
    "text", ["1", "[]", "null", "{}", '{"format": "1"}', '{"format": true}', '{"format": 0}']
)
def test_foreign_json_is_refused(text: str) -> None:
    with pytest.raises(bt.DataError, match="JSON but no fit"):
        bt.Fit.from_json(text)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(bt.DataTypeError, match="this is of type dict: pass what"):
        bt.Fit.from_json(made("two").to_dict())  # type: ignore[arg-type]


def test_the_record_alone_is_no_fit() -> None:
    with pytest.raises(bt.DataError, match="has no exact part"):
        bt.Fit.from_json(json.dumps(made("two").to_dict()))


def test_one_changed_digit_is_noticed() -> None:
    text = made("two").to_json()
    number = repr(made("two").sample.local.tolist()[100])
    digit = number[-1]
    edited = text.replace(number, number[:-1] + ("1" if digit != "1" else "2"))
    assert edited != text
    with pytest.raises(bt.DataError, match="changed after it was written"):
        bt.Fit.from_json(edited)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.pop("sample"),
        lambda e: e["sample"].pop("local"),
        lambda e: e["sample"]["local"].reverse(),
        lambda e: e["sample"]["weights"].pop(),
        lambda e: e["sample"]["weights"].__setitem__(0, -1.0),
        lambda e: e["sample"].update(scale=0.0),
        lambda e: e["sample"].update(scale="huge"),
        lambda e: e["sample"].update(local="abc"),
        lambda e: e["sample"].update(local=[[1.0]]),
        lambda e: e["solution"].update(outcome="fine"),
        lambda e: e["solution"].update(n_steps=-1),
        lambda e: e["solution"].update(n_steps=1.5),
        lambda e: e["solution"].update(loglike=None),
        lambda e: e["solution"]["mixture"].update(sds=[1.0, 0.0]),
        lambda e: e["solution"]["mixture"].update(weights=[0.5, 0.6]),
        lambda e: e["solution"]["state"].update(hessian=[[1.0]]),
        lambda e: e["solution"]["state"].update(free=[]),
        lambda e: e["solution"]["certificate"].update(warnings=[1]),
        lambda e: e["solution"]["certificate"].update(optima=3),
        lambda e: e["options"].update(method="magic"),
        lambda e: e["options"].update(max_steps=[]),
        lambda e: e["options"].update(constraints=None),
        lambda e: e["options"]["constraints"].update(sds=[[0.0]]),
        lambda e: e["options"]["constraints"].update(sd_ratios=[1.0]),
        lambda e: e.update(column=3),
        lambda e: e.update(n_missing=True),
        lambda e: e.update(floor="__import__('os')"),
    ],
)
def test_a_damaged_exact_part_is_refused_in_one_sentence(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    text = changed(lambda d: change(d["exact"]))
    with pytest.raises(bt.DataError) as refused:
        bt.Fit.from_json(text)
    said = str(refused.value)
    assert said.startswith("The text is not whole") or said.startswith("The text is not a whole")
    assert said.endswith("write it again with fit.to_json().")
    assert "\n" not in said
