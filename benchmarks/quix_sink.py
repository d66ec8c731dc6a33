"""The rival: quixstreams' MongoDB sink, in an environment of its own: `quix_sink.py COUNT MONGODB_PID`.

Avro by its own deserialiser, documents by `ReplaceOne` with upsert, a checkpoint every 1,000 messages. The watch runs
from its first message on, so its way into the group costs it nothing.
"""

import os
import sys
from threading import Timer
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.models.serializers.avro import AvroDeserializer
from quixstreams.models.serializers.schema_registry import SchemaRegistryClientConfig
from quixstreams.sinks.community.mongodb import MongoDBSink
from watch import Watch


class TimedSink(MongoDBSink):
    """The sink, which ends the process once all is written."""

    left = int(sys.argv[1])

    def write(self, batch):
        super().write(batch)
        self.left -= batch.size
        if self.left <= 0:
            watch.stop()
            Timer(0.1, app.stop).start()


address = urlsplit(os.environ["FORETICK_MONGODB"])
prefix = os.environ["FORETICK_TOPIC_PREFIX"]
watch = Watch(int(sys.argv[2]))
registry = SchemaRegistryClientConfig(url=os.environ["FORETICK_REGISTRY"])
app = Application(
    os.environ["FORETICK_KAFKA"],
    consumer_group=f"{prefix}quix-{os.getpid()}",
    auto_offset_reset="earliest",
    commit_every=1000,
    auto_create_topics=False,
    consumer_extra_config={"fetch.queue.backoff.ms": 5, "fetch.wait.max.ms": 50},
    on_message_processed=lambda *_: watch.start(),
    loglevel="WARNING",
)
topic = app.topic(f"{prefix}stock-data", value_deserializer=AvroDeserializer(schema_registry_client_config=registry))
app.dataframe(topic).sink(
    TimedSink(
        address.hostname,
        os.environ["FORETICK_MONGODB_DATABASE"],
        "stock_data",
        port=address.port,
        document_matcher=lambda item: {
            "_id": f"{item.value['symbol']}|{item.value['interval']}|{item.value['closed_at'].isoformat()}"
        },
        update_method="ReplaceOne",
        upsert=True,
        add_message_metadata=False,
        add_topic_metadata=False,
    )
)
app.run()
