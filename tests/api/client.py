"""A client of the API as a program would write it: one key, paths below /api/v1/, JSON in and out."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from coop.lib import clock
from partners.models import Person
from partners.operations import create_api_key

BASE = "/api/v1/"


class Answer:
    """What came back. `body` is the JSON, or None where there is none."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.content = b"".join(response.streaming_content) if response.streaming else response.content
        kind = response.headers.get("Content-Type", "")
        self.body = json.loads(self.content) if "json" in kind and self.content else None

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    def __repr__(self) -> str:
        return f"{self.status} {self.content[:2000].decode(errors='replace')}"

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def fields(self) -> dict[str, str]:
        """The fields that the problem names, with the code of each."""
        return {error["field"]: error["code"] for error in self.body["errors"]}


class Api:
    """Requests with one key. Header names are given as they are sent, e.g. `headers={"If-Match": '"3"'}`."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **query: str,
    ) -> Answer:
        sent = dict(headers or {})
        if self.secret:
            sent.setdefault("Authorization", f"Bearer {self.secret}")
        if key is not None:
            sent["Idempotency-Key"] = key
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        address = path if path.startswith(("/", "http")) else f"{BASE}{path}"
        response = self.client.generic(
            method, address, data, content_type=content_type, headers=sent, query_params=query or None
        )
        return Answer(response)

    def get(self, path: str, **query: str) -> Answer:
        return self.send("GET", path, **query)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.send("DELETE", path, **more)

    def upload(
        self, path: str, file: bytes | None, name: str = "file.pdf", *, key: str | None = None, **fields: Any
    ) -> Answer:
        """A form with a file. `query` may hold query parameters."""
        query = fields.pop("query", None)
        headers = {"Authorization": f"Bearer {self.secret}"} | ({"Idempotency-Key": key} if key else {})
        data = {**fields, **({"file": SimpleUploadedFile(name, file)} if file is not None else {})}
        return Answer(self.client.post(f"{BASE}{path}", data, headers=headers, query_params=query))


def api_of(person: Person, *scopes: str) -> Api:
    """A client with a new key of a person, limited to scopes if there are any."""
    _, secret = create_api_key(person_id=person.pk, scopes=scopes or None, by=None, at=clock.now())
    return Api(secret)
