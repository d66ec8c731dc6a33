"""What is answered here is what MLflow's own scoring server answers; what is not, it answers."""

import json

import pytest

from forecasting.models.naive import Naive
from forecasting.modelstore.registry import LoadedModel
from forecasting.serving import invocations
from tests.support.markets import market

JSON = "application/json"


@pytest.fixture(scope="module")
def model():
    return LoadedModel("stock-forecaster", "7", "naive", "r7", Naive().fit(market(symbols=2, bars=200)))


def request(columns=("unique_id", "ds", "y", "high", "low"), symbols=2, edit=None, index=False, **rest) -> bytes:
    frame = market(symbols, bars=30)[list(columns)]
    rows = json.loads(frame.sort_values("ds").to_json(orient="values", date_format="iso"))
    for row in rows:
        if edit:
            edit(row)
    split = {"columns": list(columns), "data": rows} | ({"index": list(range(len(rows)))} if index else {})
    return json.dumps({"dataframe_split": split, **rest}).encode()


def rounded(row):
    row[2:] = [round(value) for value in row[2:]]
    row[1] = row[1][:10]


def unlikely(row):
    row[1] = row[1][:19] + ".25"


USUAL = {
    "all columns": request(),
    "closes alone": request(("unique_id", "ds", "y")),
    "another order": request(("ds", "low", "y", "unique_id", "high")),
    "one symbol": request(symbols=1),
    "whole numbers and days": request(edit=rounded),
    "parts of a second": request(edit=unlikely),
    "an index": request(index=True),
    "its own levels": request(params={"horizon": 3, "levels": [0.1, 0.9]}),
    "nothing of params": request(params={}),
    "null for params": request(params=None),
}


def put(at, value):
    def edit(row):
        row[at] = value

    return edit


def near_the_largest(row):
    row[2:] = [1.72e308 if row[1][9] in "02468" else 1.797e308] * 3


UNUSUAL = {
    "records": b'{"dataframe_records": [{"unique_id": "A", "ds": "2012-01-03T21:00:00", "y": 1.0}]}',
    "a zone": request(edit=lambda row: put(1, row[1][:19] + "Z")(row)),
    "an hour's zone": request(edit=lambda row: put(1, row[1][:19] + "+02:00")(row)),
    "a year for a time": request(edit=put(1, "2012")),
    "a time that is none": request(edit=put(1, "2012-13-45")),
    "no time": request(edit=put(1, None)),
    "long ago": request(edit=put(1, "1012-01-03")),
    "numbers as text": request(edit=lambda row: put(2, str(row[2]))(row)),
    "no price": request(edit=put(2, None)),
    "a truth for a price": request(edit=put(2, True)),
    "a number for a symbol": request(edit=put(0, 7)),
    "infinite": request(edit=put(2, float("inf"))),
    "a negative price": request(edit=put(2, -1.0)),
    "prices beyond forecasting": request(edit=near_the_largest),
    "too many levels": request(params={"levels": [0.1, 1.5]}),
    "whole levels": request(params={"levels": [0, 1]}),
    "a level": request(params={"levels": 0.5}),
    "a horizon as text": request(params={"horizon": "3"}),
    "half a horizon": request(params={"horizon": 2.5}),
    "a true horizon": request(params={"horizon": True}),
    "too far": request(params={"horizon": 99}),
    "an unknown parameter": request(params={"horizon": 2, "depth": 2}),
    "another input beside": request(inputs=[1]),
    "no rows": b'{"dataframe_split": {"columns": ["unique_id", "ds", "y"], "data": []}}',
    "rows of unlike length": request(edit=lambda row: row.pop() if row[0] == "S1" else None),
    "a column twice": request(("unique_id", "ds", "y", "y")),
    "a column too many": request().replace(b'"low"', b'"vwap"'),
    "no close": b'{"dataframe_split": {"columns": ["unique_id", "ds"], "data": [["A", "2012-01-03"]]}}',
    "no frame": b'{"dataframe_split": 7}',
    "a list": b"[1, 2]",
    "half a request": request()[:-1],
    "nothing": b"",
    "no text": b"\xff\xfe",
}  # fmt: skip


@pytest.mark.parametrize("case", USUAL)
def test_usual_request_is_answered_as_mlflow_answers_it_and_without_it(case, model, monkeypatch):
    theirs = invocations._mlflows_answer(model, USUAL[case], JSON)
    monkeypatch.setattr(invocations, "_mlflows_answer", None)
    ours = invocations.score(model, USUAL[case], JSON)
    assert theirs.status_code == ours.status_code == 200
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert [list(row) for row in json.loads(ours.body)["predictions"]] == [
        list(row) for row in json.loads(theirs.body)["predictions"]
    ]
    assert {**ours.headers, "content-length": 0} == {**theirs.headers, "content-length": 0}


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_request_is_answered_by_mlflow(case, model):
    theirs = invocations._mlflows_answer(model, UNUSUAL[case], JSON)
    ours = invocations.score(model, UNUSUAL[case], JSON)
    assert (ours.status_code, ours.body) == (theirs.status_code, theirs.body)


def test_table_of_another_kind_is_refused_with_what_to_send(model):
    table = market(symbols=1, bars=30).to_csv(index=False).encode()
    answer = invocations.score(model, table, "text/csv; charset=utf-8")
    assert answer.status_code == 415
    assert "send JSON" in json.loads(answer.body)["message"]
    for kind in ("application/xml", ""):
        assert invocations.score(model, table, kind).status_code == 415
