"""What the projections do otherwise because of the embedded document server; on MongoDB it does no harm.

Beside this, `read_models/bars.py` has an index where ranges of `_id` would do: the embedded server scans the collection
for them.  And `takeover.py` says beforehand what a rename may leave: killed in its middle, that server may empty
both collections.
"""

READ_CHUNK = 50  # ids: the cost of an `$in` list grows with the square of its length
REPLACE_CHUNK = 100  # documents: a replace costs 2 ms, on a busy machine 20, and the bulk must be answered in time
