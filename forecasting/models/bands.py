"""The shares that an honest interval holds: outside of them neither the gate nor drift lets it pass."""

BAND_80 = (0.75, 0.85)  # share inside the 80 % interval, all steps
BAND_95 = (0.92, 0.98)
