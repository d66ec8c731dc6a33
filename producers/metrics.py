"""What the producers count, for /metrics."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter("foretick_producers_published", "Events published.", ["symbol", "event"])
REVISED = Counter("foretick_producers_revised", "Of those: corrections.", ["symbol", "event"])
REFUSED = Counter("foretick_producers_refused", "Distinct reports refused: broken invariants, no session.", ["symbol"])
VENDOR_ERRORS = Counter("foretick_producers_vendor_errors", "Requests that failed.", ["source", "kind"])
VENDOR_SECONDS = Histogram("foretick_producers_vendor_seconds", "Time to a vendor's answer.", ["source"])
LAST_BAR = Gauge("foretick_producers_last_bar_timestamp_seconds", "closed_at of the newest bar published.", ["symbol"])
