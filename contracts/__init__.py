"""The events: schemas, typed events, the topic table and golden bytes; how files of bars look.  No I/O."""
