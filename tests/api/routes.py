"""Every address of the router with its methods, so that tests cover new ones by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coop.api import router


@dataclass(frozen=True)
class Route:
    """One method of one address: "funds/{fund_id}/entries/" with the names of its variables, in order."""

    method: str
    path: str
    basename: str

    @property
    def variables(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def filled(self, *values: object) -> str:
        path = self.path
        for name, value in zip(self.variables, values, strict=True):
            path = path.replace(f"{{{name}}}", str(value))
        return path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    return list(all_routes())


def all_routes() -> Iterator[Route]:
    for address in router.urls:
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(address.pattern)).strip("^$")
        for method in list(address.callback.actions):  # type: ignore[attr-defined]
            if method != "head":
                yield Route(method.upper(), path, address.callback.initkwargs["basename"])  # type: ignore[attr-defined]
