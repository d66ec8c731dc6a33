"""Where Yahoo's symbols trade: its `exchangeName` to an ISO 10383 MIC and to a calendar of exchange_calendars."""

from collections.abc import Mapping
from dataclasses import dataclass

from producers.sources.base import VendorRefused

_SHARES = {  # whose calendar bears the MIC's name, or is known to `sessions` under it
    **dict.fromkeys(("NMS", "NGM", "NCM", "NAS"), "XNAS"),
    **{"NYQ": "XNYS", "ASE": "XASE", "PCX": "ARCX", "BTS": "BATS"},
    **dict.fromkeys(("PNK", "OQB", "OQX", "OEM", "OBB", "OTC"), "OTCM"),
    **{"TOR": "XTSE", "VAN": "XTSX", "CNQ": "XCNQ", "NEO": "NEOE"},
    **{"MEX": "XMEX", "SAO": "BVMF", "BUE": "XBUE", "SGO": "XSGO", "BVC": "XBOG", "LIM": "XLIM"},
    **{"LSE": "XLON", "IOB": "XLON", "AQS": "AQSE", "CXE": "BCXE", "ISE": "XDUB"},
    **{"GER": "XETR", "FRA": "XFRA", "STU": "XSTU", "HAM": "XHAM", "DUS": "XDUS", "EUX": "XEUR"},
    **{"PAR": "XPAR", "AMS": "XAMS", "BRU": "XBRU", "LIS": "XLIS", "LUX": "XLUX", "MIL": "XMIL", "TLO": "ETLX"},
    **{"MCE": "XMAD", "EBS": "XSWX", "VIE": "XWBO", "ATH": "ASEX", "IST": "XIST"},
    **{"STO": "XSTO", "CPH": "XCSE", "HEL": "XHEL", "OSL": "XOSL", "ICE": "XICE"},
    **{"TAL": "XTAL", "RIS": "XRIS", "LIT": "XLIT", "WSE": "XWAR", "PRA": "XPRA", "BUD": "XBUD", "BVB": "XBSE"},
    **{"MCX": "MISX", "JNB": "XJSE", "TLV": "XTAE", "SAU": "XSAU", "KAR": "XKAR"},
    **{"JPX": "XTKS", "OSA": "XTKS", "FKA": "XFKA", "SAP": "XSAP", "NAG": "XNGO"},
    **{"SHH": "XSHG", "SHZ": "XSHE", "HKG": "XHKG", "TAI": "XTAI", "TWO": "ROCO", "KSC": "XKRX", "KOE": "XKOS"},
    **{"NSI": "XNSE", "BSE": "XBOM", "SES": "XSES", "KLS": "XKLS", "JKT": "XIDX", "SET": "XBKK"},
    **dict.fromkeys(("PHS", "PHP"), "XPHS"),
    **{"ASX": "XASX", "NZE": "XNZE"},
    **{"CME": "XCME", "CBT": "XCBT", "NYM": "XNYM", "CMX": "XCEC", "NYB": "IFUS", "CFE": "XCBF"},
}
_OTHERS = {  # indices, options, currencies: no exchange of their own
    **dict.fromkeys(("SNP", "DJI", "NIM", "NYS", "CXI", "CGI", "CBO", "WCB", "OPR", "YHD"), "XNYS"),
    **dict.fromkeys(("FGI", "FSI"), "XLON"),
    **{"ENX": "XPAR", "ZRH": "XSWX", "CXA": "XASX"},
    **{"CCC": "24/7", "CCY": "24/5"},
}
_OVERNIGHT = {"XCME", "XCBT", "XNYM", "XCEC", "IFUS", "CMES", "IEPA", "us_futures"}


@dataclass(frozen=True, slots=True)
class YahooMarket:
    """Where a symbol trades.

    Attributes:
        exchange: MIC, if it has one.
        calendar: name of its calendar, where the MIC does not say it.
    """

    exchange: str | None
    calendar: str | None = None

    @property
    def overnight(self) -> bool:
        """Tell whether a session opens on the evening before its date."""
        return (self.calendar or self.exchange) in _OVERNIGHT


def yahoo_market_of(name: str | None, told: str | None, calendars: Mapping[str, str]) -> YahooMarket:
    """Return the market of Yahoo's `exchangeName`.

    Args:
        told: `fullExchangeName`, for the error.
        calendars: names of calendars by `exchangeName`; they go before what is known here.

    Raises:
        VendorRefused: its hours are not known.
    """
    name = name or "unnamed"
    if calendar := calendars.get(name):
        return YahooMarket(_SHARES.get(name), calendar)
    if mic := _SHARES.get(name):
        return YahooMarket(mic)
    if calendar := _OTHERS.get(name):
        return YahooMarket(None, calendar)
    raise VendorRefused(
        f"yahoo names the exchange {name!r}{f' ({told})' if told else ''}, whose hours are not known here: name a "
        f'calendar of exchange_calendars for it, such as FORETICK_CALENDARS=\'{{"{name}": "XLON"}}\''
    )
