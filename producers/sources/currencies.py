"""Currencies as vendors write them: some quote in pence, cents or agorot."""

_MINOR_UNITS = {
    **dict.fromkeys(("GBp", "GBX", "GBx"), ("GBP", 100)),
    **dict.fromkeys(("ZAc", "ZAC"), ("ZAR", 100)),
    "ILA": ("ILS", 100),
    "KWF": ("KWD", 1000),
}


def major_unit(currency: str) -> tuple[str, int]:
    """Return the ISO 4217 code of a vendor's currency, and how many of its units make one of that currency's."""
    return _MINOR_UNITS.get(currency, (currency, 1))
