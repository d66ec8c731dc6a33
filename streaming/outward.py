"""What leaves this machine is encrypted and shows who it is, unless the operator vouches for the network.

A fault names the variable and what would mend it, and never the address: that may hold a password.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

_ENCRYPTED = {"https", "wss", "tls"}
_ELSEWHERE = ("_link", "_issuer", "jwks_url")  # followed by the browser, called by nobody, judged by the gateway
_CERTIFICATES = ("ssl.certificate.location", "ssl.certificate.pem", "ssl.keystore.location")
_LOGINS = {"mongodb-x509", "mongodb-aws", "mongodb-oidc"}  # without a user in the address
_UNCHECKED = {"tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"}


def outward_faults(settings: Mapping[str, object]) -> Iterator[str]:
    """Yield a sentence for each address among the settings that would be spoken to in the clear, or by nobody."""
    for name, value in settings.items():
        variable = f"FORETICK_{name.upper()}"
        match name, value:
            case "kafka", str():
                options = settings.get("kafka_options")
                mend = _kafka(value, options if isinstance(options, Mapping) else {})
            case "registry", str():
                mend = _registry(value, bool(settings.get("registry_auth")))
            case "mongodb", SecretStr():
                mend = _mongodb(value.get_secret_value())
            case _, str() if not name.endswith(_ELSEWHERE):
                mend = clear_text(value)
            case _, dict():
                mend = next((why for each in value.values() if isinstance(each, str) and (why := clear_text(each))), "")
            case _:
                continue
        if mend:
            yield f"{variable} names a server that is not on this machine: {mend}"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address never leaves this machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def clear_text(address: str) -> str:
    """Return what would encrypt the way to an address; nothing where it is, or where it stays on this machine."""
    url = urlsplit(address)
    if url.scheme in _ENCRYPTED or not url.hostname or is_loopback(url.hostname):
        return ""
    return "use tls://" if url.scheme == "tcp" else "use https://"


def _registry(addresses: str, login: bool) -> str:
    each = addresses.split(",")
    if any(map(clear_text, each)):
        return "use https://"
    return "" if login or not _far(each) else "give a login in FORETICK_REGISTRY_AUTH"


def _kafka(servers: str, options: Mapping[str, str]) -> str:
    named = [servers, *(options.get(name, "") for name in ("bootstrap.servers", "metadata.broker.list"))]
    if not _far(",".join(named).split(",")):
        return ""
    protocol = options.get("security.protocol", "").lower()
    if protocol != "sasl_ssl" and not (protocol == "ssl" and any(map(options.get, _CERTIFICATES))):
        return "set security.protocol in FORETICK_KAFKA_OPTIONS to SASL_SSL, or to SSL with a client's certificate"
    checks = options.get("enable.ssl.certificate.verification", "true").lower() in ("true", "t", "1")
    if not checks or options.get("ssl.endpoint.identification.algorithm", "").lower() == "none":
        return "let FORETICK_KAFKA_OPTIONS have its certificate checked"
    return ""


def _mongodb(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    user, _, hosts = authority.rpartition("@")
    local_too = [host for host in hosts.split(",") if not host.endswith(".sock")]
    if scheme not in ("mongodb", "mongodb+srv") or not _far(local_too):
        return ""
    said = (each.partition("=") for each in re.split("[&;]", rest.partition("?")[2]))
    options = {name.lower(): value.lower() for name, _, value in said}
    encrypted = options.get("tls", options.get("ssl", "true" if scheme == "mongodb+srv" else "false"))
    if encrypted != "true":
        return "add tls=true"
    if "true" in map(options.get, _UNCHECKED):
        return "let its certificate be checked"
    if not user and options.get("authmechanism") not in _LOGINS:
        return "name a user in it, or authMechanism=MONGODB-X509"
    return ""


def _far(addresses: list[str]) -> bool:
    """Tell whether one of these `host:port`, with or without a scheme, is another machine's."""
    hosts = (urlsplit(f"//{each.strip().rpartition('://')[2]}").hostname for each in addresses)
    return any(host and not is_loopback(host) for host in hosts)
