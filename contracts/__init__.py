"""The events: schemas, typed events, the topic table and golden bytes of every version.  No I/O."""
