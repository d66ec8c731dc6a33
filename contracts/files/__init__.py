"""Files of bars that anybody may have written: as a table, and the dates and numbers in it.  No I/O."""
