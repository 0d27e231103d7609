"""The OpenAPI document is current, valid in its references, and no operation of it answers junk with a 5xx."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from drf_spectacular.validation import validate_schema

from coop.api_docs import PROBLEMS, document
from coop.lib.errors import Refused
from funds.models import Fund
from tests import factories
from tests.api.client import Api, api_of

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, said in document()["paths"].items():
        for method in METHODS:
            if method in said:
                yield method, path, said[method]


def test_the_schema_file_is_current() -> None:
    """`manage.py spectacular --file openapi.yaml` makes it anew."""
    stored = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(document(), default=str))


def test_the_document_is_openapi_3_1_and_valid() -> None:
    validate_schema(document())
    assert document()["openapi"] == "3.1.0"
    names = [said["operationId"] for _, _, said in operations()]
    assert len(set(names)) == len(names)


def test_the_document_and_the_page_are_served_to_everybody(db: None, client: Client) -> None:
    answer = client.get("/api/schema/")
    assert yaml.safe_load(answer.content)["openapi"] == "3.1.0"
    assert client.get("/api/schema/?format=json").json()["info"]["title"] == "Coop"
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert "/api/v1/claims/{id}/submit/" in text
    assert not re.search(r"""\sstyle=|<style|<script(?![^>]*\ssrc="/static/)|(?:src|href)="(?:https?:)?//""", text)


def every(kind: type[Refused]) -> Iterator[type[Refused]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from every(inner)


def test_every_code_of_a_refusal_is_explained_with_its_status() -> None:
    assert {(kind.code, kind.status) for kind in every(Refused)} <= {
        (code, status) for code, (status, _) in PROBLEMS.items()
    }


# --- Junk ---------------------------------------------------------------------------------------------------------------

JUNK: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", " ", "x", "1", "-1", "99999999999999999", "2024-02-30", "2024-03-01", "1.00",
    "1e9", "NaN", "\x00", "\ud800", "\u202e", "é" * 5_000, "'; DROP TABLE x; --", "=1+1", [], [[]], {}, {"x": None},
    ["1"], [{"id": "1"}], [None], {"code": {"deep": []}},
]  # fmt: skip


def junk_body(schema: dict[str, Any], chance: random.Random) -> Any:
    """An object with the fields of a schema, each with junk, or something else altogether."""
    if chance.random() < 0.1:
        return chance.choice(JUNK)
    name = schema.get("$ref", "").rpartition("/")[2]
    fields = document()["components"]["schemas"].get(name, schema).get("properties", {})
    body = {field: chance.choice(JUNK) for field in fields if chance.random() < 0.8}
    if chance.random() < 0.1:
        body["surprise"] = 1
    return body


def test_no_operation_answers_junk_with_a_5xx(fund: Fund, vendor: Callable[[str], Api]) -> None:
    chance = random.Random(20240301)
    claim, draft = factories.make_approved_claim(fund, "300.00"), factories.make_claim(fund, "10.00")
    run = factories.prepare()
    person = factories.marketer_of(fund.partner)
    clients = [api_of(person), *(vendor(who) for who in ("program", "finance", "finance2", "manager"))]
    ids: list[Any] = [claim.pk, draft.pk, run.pk, fund.pk, person.pk, 1, 999_999, "telemarketing", "mci-csp-reseller"]
    broken = []
    for method, path, said in operations():
        for _ in range(5):
            address = re.sub(r"\{\w+\}", lambda _: str(chance.choice(ids)), path)
            query = {
                parameter["name"]: str(chance.choice(JUNK)).encode("utf-8", "replace").decode()[:300]
                for parameter in said.get("parameters", [])
                if parameter["in"] == "query" and chance.random() < 0.2
            }
            content = said.get("requestBody", {}).get("content", {})
            kind = chance.choice(list(content)) if content else "application/json"
            body = junk_body(content.get(kind, {}).get("schema", {}), chance) if method != "get" else None
            headers = {"If-Match": chance.choice(['"1"', "*", "x"])} if chance.random() < 0.1 else {}
            key = chance.choice(["one", "é", "x" * 300]) if chance.random() < 0.1 else None
            if kind.startswith("multipart"):
                fields = (
                    {
                        name: "" if value is None else str(value).encode("utf-8", "replace").decode()
                        for name, value in body.items()
                    }
                    if isinstance(body, dict)
                    else {}
                )
                file = chance.choice([None, b"", b"x", b"%PDF-1", b"a,b\n1,2\n"])
                answer = chance.choice(clients).upload(
                    address.removeprefix("/api/v1/"),
                    file,
                    **{k: v for k, v in fields.items() if k not in ("file", "name", "key", "query", "path")},
                )
            else:
                answer = chance.choice(clients).send(method.upper(), address, body, headers=headers, key=key, **query)
            if answer.status >= 500:
                broken.append(f"{method} {address} {query} {body!r:.300}: {answer}")
            elif answer.status >= 400:
                assert answer.headers["Content-Type"] == "application/problem+json", answer
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", ["programs/", "claims/", "earnings/"])
def test_a_head_request_is_answered_like_its_get_without_a_body(finance: Api, path: str) -> None:
    assert finance.send("HEAD", path).status == 200
