"""Currencies as vendors write them: some quote in pence, cents or agorot."""

_MINOR_UNITS = {
    **dict.fromkeys(("GBp", "GBX", "GBx"), ("GBP", 100)),
    **dict.fromkeys(("ZAc", "ZAC"), ("ZAR", 100)),
    "ILA": ("ILS", 100),
    "KWF": ("KWD", 1000),
}
_SIGNS = {
    "$": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "CLP", "COP", "ARS"),
    **{"US$": ("USD",), "C$": ("CAD",), "CA$": ("CAD",), "A$": ("AUD",), "AU$": ("AUD",), "NZ$": ("NZD",)},
    **{"HK$": ("HKD",), "S$": ("SGD",), "NT$": ("TWD",), "R$": ("BRL",), "Mex$": ("MXN",), "MX$": ("MXN",)},
    **{"€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"), "₹": ("INR",), "₩": ("KRW",), "₪": ("ILS",)},
    **{"₽": ("RUB",), "₺": ("TRY",), "฿": ("THB",)},
}


def currencies_of(sign: str) -> tuple[str, ...]:
    """Return the currencies that a sign beside a price may stand for, the likeliest first; a code stands for itself."""
    return _SIGNS.get(sign, (sign,))


def major_unit(currency: str) -> tuple[str, int]:
    """Return the ISO 4217 code of a vendor's currency, and how many of its units make one of that currency's."""
    return _MINOR_UNITS.get(currency, (currency, 1))
