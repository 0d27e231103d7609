"""A person at a real browser: signs in, goes about, and complains of what a page gets wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Error, FilePayload, Page

from coop.people import PASSWORD
from partners.models import Person
from tests.factories import PDF, PNG

WIDTHS = (1280, 390)
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Only what is wrong comes back: to carry all that is right out of the browser takes longer than to find it.
AXE = "axe.run({resultTypes: ['violations']}).then(results => results.violations)"
LOOKS = 3
PATIENCE = 15_000  # milliseconds; two cores may be busy with other tests


@dataclass
class Visitor:
    """A page of a browser. `check` asserts that it is accessible, logs no error and needs no sideways scrolling."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.ok, f"{path} answers {answer.status}"

    def sign_in(self, person: Person) -> None:
        """Sign in by the form; the person must have been made with `password=PASSWORD`."""
        self.page.goto(f"{self.address}/accounts/login/")
        self.page.get_by_label("Email").fill(person.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def check(self, name: str) -> None:
        violations, too_wide = self.look()
        found = [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes']]}" for rule in violations]
        assert not found, f"{name}: {found}"
        assert not self.complaints, f"{name}: {self.complaints}"
        assert too_wide <= 0, f"{name} is {too_wide} px too wide"

    def look(self) -> tuple[list[dict[str, Any]], int]:
        """What axe finds on the page, and by how many pixels it is too wide.

        A click may still be on its way: a page that is replaced while it is looked at is not the one to look at.
        """
        for _ in range(LOOKS - 1):
            try:
                return self.look_once()
            except Error:
                self.page.wait_for_timeout(200)
        return self.look_once()

    def look_once(self) -> tuple[list[dict[str, Any]], int]:
        self.page.wait_for_load_state()
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        return self.page.evaluate(AXE), self.page.evaluate(TOO_WIDE)

    def hear(self, said: ConsoleMessage) -> None:
        """Note an error of the console. That a refused form is answered with 400, 409 or 422 is no error."""
        refused = said.location["url"] == self.page.url and any(
            f"status of {code}" in said.text for code in (400, 409, 422)
        )
        if said.type == "error" and not refused:
            self.complaints.append(said.text)

    def photograph(self, folder: Path, name: str) -> None:
        """Keep a picture of the whole page."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser: Browser, live_server) -> Iterator[Callable[..., Visitor]]:
    """Open a browser window: `visit(width=390, script=False)`. Each is somebody else's: no cookies are shared."""
    contexts = []

    def open_window(*, width: int = 1280, script: bool = True) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.page.on("console", visitor.hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        return visitor

    yield open_window
    for context in contexts:
        context.close()


def a_file(name: str) -> FilePayload:
    """A small file for an upload field, of the kind that its name says."""
    kind, content = ("application/pdf", PDF) if name.endswith(".pdf") else ("image/png", PNG)
    return {"name": name, "mimeType": kind, "buffer": content + name.encode()}
