"""The only code that knows Kafka and the schema registry: settings, codec, publisher, consumer loop."""
