"""Where a request came from, for counting; behind proxies of ours they say so."""

from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import request

from web.state import state


def source() -> str:
    """
    Return the address that a request came from; of IPv6 the network of 64 bits, which is one household's.

    Only as many entries of X-Forwarded-For are believed as there are proxies of ours: the rest anybody can write.
    """
    found, proxies = request.remote_addr or "", state().proxies
    if proxies:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        found = hops[-proxies] if len(hops) >= proxies else found
    with suppress(ValueError):
        address = ip_address(found)
        if isinstance(address, IPv6Address):
            return str(IPv6Network((address, 64), strict=False))
        return str(address)
    return found[:64]
