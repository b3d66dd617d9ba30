"""When an X.509 certificate ends: reads as far into its DER as the validity stands, and nothing else.

The interpreter can't tell the end of a client certificate (`SSLContext.get_ca_certs` leaves out all but
authorities), and a library for one date would be larger than the rest of this tool.
"""

import binascii
import ssl
from datetime import UTC, datetime

_SEQUENCE, _VERSION = 0x30, 0xA0
_END = "-----END CERTIFICATE-----"
_BEFORE_VALIDITY = 3
"""Fields between the optional version and the validity: serial number, signature, issuer (RFC 5280 section 4.1)."""


def ends_at(pem: str) -> datetime | None:
    """`notAfter` of the first certificate in a PEM text; None where it can't be read."""
    begin = pem.find("-----BEGIN CERTIFICATE-----")
    stop = pem.find(_END, begin)
    if begin < 0 or stop < 0:
        return None
    try:
        return _not_after(ssl.PEM_cert_to_DER_cert(pem[begin : stop + len(_END)] + "\n"))
    except (ValueError, IndexError, binascii.Error):
        return None


def _not_after(der: bytes) -> datetime:
    _, certificate, _ = _element(der)
    _, fields, _ = _element(certificate)
    tag, _, rest = _element(fields)
    fields = rest if tag == _VERSION else fields
    for _ in range(_BEFORE_VALIDITY):
        _, _, fields = _element(fields)
    tag, validity, _ = _element(fields)
    if tag != _SEQUENCE:
        raise ValueError("no validity where it belongs")
    _, _, rest = _element(validity)
    tag, moment, _ = _element(rest)
    return _time(tag, moment.decode("ascii"))


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what follows it."""
    tag, size, start = data[0], data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if start + size > len(data):
        raise ValueError("it ends too early")
    return tag, data[start : start + size], data[start + size :]


def _time(tag: int, text: str) -> datetime:
    match tag:
        case 0x18:
            return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        case 0x17:  # two digits of the year: 50 and above are of the last century
            century = "19" if text[:2] >= "50" else "20"
            return datetime.strptime(century + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        case _:
            raise ValueError("no time where it belongs")
