"""Where pictures may be fetched from: URLs and an operator's list taken apart, and which addresses are public."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from bof.errors import OptionError

URL_PATTERN = "^[hH][tT][tT][pP][sS]?://"

_PORTS = {"http": 80, "https": 443}
_NAME = r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?"
_AUTHORITY = re.compile(rf"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>{_NAME}))(?::(?P<port>[0-9]{{1,5}}))?")
_PLAIN = "!#$%&'()*+,/:;=?@[]~"
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BLOCKS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    "::/127", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
)  # fmt: skip
SPECIAL_PURPOSE = tuple(map(ipaddress.ip_network, _BLOCKS))
"""The blocks of IANA's registries of special-purpose addresses (RFC 6890), those within another left out.

`ipaddress` knows them as of the day when its Python was made, and Python 3.11 calls 192.0.0.8 and 3fff::1 global.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What an operator allows: a name, `*.` and a name for all below it, or an address; port 0: the usual one."""

    host: str
    port: int = 0

    @classmethod
    def of(cls, text: str) -> Source:
        """As the option allow_urls has it. Raises OptionError."""
        below = text.startswith("*.")
        host, port = read_authority(text.removeprefix("*."), "allow_urls")
        if below and (literal_of(host) or "." not in host):
            raise OptionError(option="allow_urls", expected="a name with a dot after *.", found=repr(host))
        return cls(f"*.{host}" if below else host, port)

    def has(self, host: str, port: int, usual: int) -> bool:
        """Is this host and port meant? usual: the port where none was named."""
        named = host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host
        return named and port == (self.port or usual)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was understood; path: with its query, as it is sent."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Raises OptionError for what is no plain URL of http or https."""
        parts = _split(quote(url, safe=_PLAIN))  # from here on it is printable ASCII
        if parts is None or not re.match(URL_PATTERN, url) or parts.scheme not in _PORTS:
            raise OptionError(option="url", expected="a URL of http or https", found=repr(url[:200]))
        host, port = read_authority(parts.netloc, "url")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], path)

    @property
    def usual_port(self) -> int:
        """The scheme's."""
        return _PORTS[self.scheme]

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == self.usual_port else f"{host}:{self.port}"

    def redirected(self, location: str) -> Target:
        """Where a Location leads. Raises OptionError for what is no plain URL, ValueError for one that leaves https."""
        target = Target.of(urljoin(f"{self.scheme}://{self.authority}{self.path}", location))
        if (self.scheme, target.scheme) == ("https", "http"):
            raise ValueError("expected a redirect that stays with https, found one to http")
        return target


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def read_authority(text: str, option: str) -> tuple[str, int]:
    """Host in lower case, without brackets, and port, 0 where there is none. Raises OptionError, of user:password too.

    A last label that begins with a digit is refused unless the whole is an address as it is usually written: resolvers
    take 127.1 and 0x7f000001 for addresses too.
    """

    def refused(expected: str) -> OptionError:
        return OptionError(option=option, expected=expected, found=repr(text[:200]))

    found = _AUTHORITY.fullmatch(text.lower()) if text.isascii() else None
    if found is None:
        raise refused("a host name or an address, and a port or none")
    host, port = found["six"] or found["name"], int(found["port"] or 0)
    address = literal_of(host)
    if not (address.version == (6 if found["six"] else 4) if address else host.rpartition(".")[2][0].isalpha()):
        raise refused("a host name, an IPv4 address or an IPv6 address in brackets")
    if found["port"] and not 0 < port < 1 << 16:
        raise refused("a port from 1 to 65535")
    return str(address or host), port


def literal_of(host: str) -> Address | None:
    """The address that a host is written as, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Is it an address of the open internet, also where it holds an IPv4 address (mapped, 6to4, NAT64)?"""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    is_special = any(address in block for block in SPECIAL_PURPOSE)
    return not is_special and address.is_global and not address.is_multicast and not address.is_reserved
