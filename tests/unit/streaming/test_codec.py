"""What the codec makes of bytes: the same as the Avro library makes of them, by a shorter way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import BarClosed
from contracts.samples import SAMPLES, sample
from contracts.topics import STOCK_DATA, TOPICS, topic_of
from contracts.versions import newest, versions
from streaming import codec as codec_module
from streaming.codec import Codec, Poison
from streaming.headers import Headers
from streaming.settings import StreamSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IDS = dict(enumerate((version for topic in TOPICS for version in versions(topic.event)), start=1))


class Registered:
    """A registry that has all of our schemas."""

    def __init__(self, settings: StreamSettings) -> None:
        pass

    def schema_text(self, schema_id: int) -> str:
        return IDS[schema_id].text

    def id_of(self, topic, version) -> int:
        return next(number for number, each in IDS.items() if each == version)


@pytest.fixture
def codec(monkeypatch) -> Codec:
    monkeypatch.setattr(codec_module, "Registry", Registered)
    return Codec(StreamSettings())


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_decode_every_event_in_every_version_is_what_the_avro_library_reads(codec, event):
    topic = topic_of(type(event))
    reader = parse_schema(newest(type(event)).schema)
    for number, version in IDS.items():
        if version.event != type(event).__name__:
            continue
        writer, body = parse_schema(version.schema), BytesIO()
        schemaless_writer(body, writer, event.to_record())
        plainly = schemaless_reader(BytesIO(body.getvalue()), writer, reader)

        schema_id, record = codec.decode_record(topic.name, b"\0" + number.to_bytes(4, "big") + body.getvalue())

        assert (schema_id, record) == (number, plainly)
    assert codec.encode(event)[5:] == body.getvalue()
    assert codec.decode(topic.name, codec.encode(event))[1] == event


@pytest.mark.parametrize("number", IDS)
def test_written_as_tells_the_version_from_the_bytes_whatever_id_is_in_front(codec, number):
    version = IDS[number]
    event = next(each for each in SAMPLES if type(each).__name__ == version.event)
    topic, body = topic_of(type(event)), BytesIO()
    schemaless_writer(body, parse_schema(version.schema), event.to_record())
    value = b"\0\x7f\0\0\0" + body.getvalue()

    assert codec.written_as(topic.name, value) == version
    assert codec.written_as(topic.name, value[:-1]) is None
    assert codec.written_as(topic.name, b"\1" + value[1:]) is None
    assert [codec.written_as(other.name, value) for other in TOPICS if other != topic] == [None] * (len(TOPICS) - 1)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_decode_any_time_comes_back_to_the_microsecond(moment):
    moment = moment.replace(tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec_module, "Registry", Registered)
        codec = Codec(StreamSettings())
        bar = replace(sample(BarClosed), opened_at=moment - timedelta(microseconds=1), closed_at=moment)

        assert codec.decode(STOCK_DATA.name, codec.encode(bar))[1] == bar


def test_decode_time_beyond_the_calendar_is_poison(codec):
    version = newest(BarClosed)
    body, fields = BytesIO(), version.schema["fields"]
    fields = [{**field, "type": "long"} if field["name"] == "opened_at" else field for field in fields]
    record = {**sample(BarClosed).to_record(), "opened_at": 1 << 62}
    schemaless_writer(body, parse_schema({**version.schema, "fields": fields}), record)
    number = Registered(StreamSettings()).id_of(STOCK_DATA, version)

    with pytest.raises(Poison, match="no BarClosed in these bytes"):
        codec.decode(STOCK_DATA.name, b"\0" + number.to_bytes(4, "big") + body.getvalue())


def test_headers_are_read_once_and_only_when_looked_at():
    asked = []

    def raw():
        asked.append(True)
        return [("ce_id", b"one"), ("odd", b"\xff"), ("none", None)]

    headers = Headers(raw)
    assert not asked
    assert headers == {"ce_id": "one", "odd": "\\xff", "none": ""}
    assert (headers.get("ce_id"), len(headers), len(asked)) == ("one", 3, 1)
