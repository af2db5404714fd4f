"""Memory quantities, exactly as the API server reads and stores them (apimachinery's resource.Quantity).

`1024Mi` is stored as `1Gi`, `1.5Gi` as `1536Mi`, `0.5G` as `500M`; comparing the strings that people write
would see changes where there are none.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
_NANO = 10**9
LEAST_MEMORY = "8Mi"
"""No limit is asked for under this, for a container runtime needs some memory itself to start the first process.

With 1Mi and 2Mi containers were seen to be created for ever; nothing is OOM-killed then.
"""
TOO_LITTLE_MEMORY = f"no container starts with less than {LEAST_MEMORY}; write a unit, as in 64Mi"


def parse_quantity(quantity: str | int) -> Fraction:
    """The exact value of a quantity, e.g. in bytes; less than a billionth is rounded up, as by the server.

    Raises:
        ValueError: it is no quantity.
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity: write one such as 64Mi or 1Gi")
    number, suffix = Fraction(match[1]), match[2] or ""
    if suffix in _BINARY:
        value = number * 1024 ** _BINARY[suffix]
    elif suffix in _DECIMAL:
        value = number * Fraction(1000) ** _DECIMAL[suffix]
    else:
        value = number * Fraction(10) ** int(suffix[1:])
    sign = -1 if value < 0 else 1
    return Fraction(sign * math.ceil(abs(value) * _NANO), _NANO)


def parse_memory(quantity: str | int) -> int:
    """Whole bytes of a memory quantity, rounded up as the server's `Value()` does.

    Raises:
        ValueError: it is no quantity.
    """
    return math.ceil(parse_quantity(quantity))


def startable_memory(quantity: str) -> str:
    """A memory quantity with which a container starts, as it is.

    Raises:
        ValueError: it is none, or less: 64 without a unit is 64 bytes.
    """
    if parse_memory(quantity) < parse_memory(LEAST_MEMORY):
        raise ValueError(TOO_LITTLE_MEMORY)
    return quantity


def format_memory(count: int) -> str:
    """Bytes in the writing in which the server stores a quantity with a binary suffix: 67108864 is `64Mi`."""
    if abs(count) < 1024:
        return _decimal(Fraction(count))
    power = 0
    while power < 6 and count % 1024 == 0 and count:
        count, power = count // 1024, power + 1
    return f"{count}{_BINARY_SUFFIX.get(power, '')}"


def canonical_quantity(quantity: str | int) -> str:
    """The quantity as the API server stores it: the largest suffix of the same family without a fraction.

    Raises:
        ValueError: it is no quantity.
    """
    text = str(quantity)
    value = parse_quantity(text)
    suffix = text.lstrip("+-.0123456789")
    if suffix in _BINARY and abs(value) >= 1024 and value.denominator == 1:
        return format_memory(value.numerator)
    if suffix in _DECIMAL or suffix in _BINARY:
        return _decimal(value)
    mantissa, power = _without_thousands(value)
    return f"{mantissa}e{3 * power}" if power else str(mantissa)


def _decimal(value: Fraction) -> str:
    mantissa, power = _without_thousands(value)
    return f"{mantissa}{_DECIMAL_SUFFIX[power]}"


def _without_thousands(value: Fraction) -> tuple[int, int]:
    """A whole number and the power of a thousand to multiply it with, the power as large as it can be."""
    mantissa, power = (value * _NANO).numerator, -3
    while power < 6 and mantissa and mantissa % 1000 == 0:
        mantissa, power = mantissa // 1000, power + 1
    return (mantissa, power) if mantissa else (0, 0)
