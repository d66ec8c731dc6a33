"""The events: schemas, typed events, the topic table and golden bytes of every version, and files of bars (`files`).  No I/O."""
