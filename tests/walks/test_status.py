"""`foretick status` of the servers that these tests run on."""

import json
import os
from pathlib import Path

from contracts.samples import SAMPLES
from contracts.topics import TOPICS, topic_of
from projections.settings import ProjectionSettings
from stack.commands.status_json import status_json
from tests.conftest import SERVERS
from tests.integration.projecting import clear, command, publish


def test_status_tells_programs_what_runs_and_where_the_log_ends(servers, isolated):
    settings = ProjectionSettings()
    publish(settings, SAMPLES)

    told = json.loads(command("status", "--json"))

    services = {service["name"]: service for service in told["services"]}
    assert set(SERVERS) <= set(services)
    for name in SERVERS:
        assert services[name]["state"] == "answers"
        assert Path(f"/proc/{services[name]['pid']}").exists()
        assert services[name]["log"] == str(servers.log(name))
        assert services[name]["url"]
    for topic in TOPICS:
        events = sum(topic_of(type(event)) == topic for event in SAMPLES)
        assert (len(told["topics"][topic.name]), sum(told["topics"][topic.name].values())) == (topic.partitions, events)
        assert told["topics"][topic.dlq] == {"0": 0}
    assert told["projections"] is None  # they do not run there
    clear(settings)


def test_status_shows_people_the_same_services(servers, isolated):
    shown = command("status")
    assert str(servers.home) in shown
    for name in SERVERS:
        assert any(name in line and "answers" in line for line in shown.splitlines())


def test_status_while_kafka_is_away_tells_the_rest(servers, isolated, monkeypatch):
    monkeypatch.setitem(os.environ, "FORETICK_KAFKA", "127.0.0.1:9")
    told, healthy = status_json(servers)
    assert healthy
    assert told["topics"] is None
    assert {service["name"] for service in told["services"]} >= set(SERVERS)
