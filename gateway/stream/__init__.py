"""From Kafka to every socket: one reader, one hub, a bounded queue for each client."""
