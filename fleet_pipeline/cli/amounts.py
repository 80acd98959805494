"""Amounts on the command line: tokens such as `20.5M`, shares such as `0.18`."""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

import click

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_AMOUNT: Final = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)([kmb]?)", re.IGNORECASE)


class _Amount(click.ParamType[int]):
    """A whole number that may end in k, M or B: `27,173M`, `20.5M`, `8k`."""

    name = "N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = _AMOUNT.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{value}: write a number such as 612, 8k, 20.5M or 27.9B", param, ctx)
        digits, unit = found.groups()
        exact = Decimal(digits.replace(",", "").replace("_", "")) * _UNITS[unit.lower()]
        if exact != exact.to_integral_value():
            self.fail(f"{value} is no whole number", param, ctx)
        return int(exact)


class _Share(click.ParamType[Decimal]):
    """A share between 0 and 1, exact as written."""

    name = "F"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            share = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value}: write a share such as 0.18", param, ctx)
        if not (share.is_finite() and 0 <= share <= 1):
            self.fail(f"{value}: a share lies between 0 and 1", param, ctx)
        return share


AMOUNT: Final = _Amount()
SHARE: Final = _Share()
