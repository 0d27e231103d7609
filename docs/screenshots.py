"""Takes the pictures of the README anew, from a running `make demo` whose story nobody changed yet.

    make demo PORT=8000          (in another terminal)
    .venv/bin/python docs/screenshots.py http://127.0.0.1:8000

Needs the requirements of the tests and the system's Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).resolve().parent / "images"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TALL = {"width": 1280, "height": 1180}


def sign_in(browser: Browser, address: str, email: str, size: dict[str, int]) -> Page:
    page = browser.new_page(viewport=size, base_url=address)  # type: ignore[arg-type]
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("coop-demo-2024")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/")
    return page


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png", scale="css")


def claim_of(page: Page, title: str) -> str:
    """The address of a claim, found in the list by its title."""
    page.goto("/claims/")
    row = page.locator("tr", has_text=title)
    return str(row.get_by_role("link").first.get_attribute("href"))


def take_all(browser: Browser, address: str) -> None:
    mia = sign_in(browser, address, "mia@cedarridge.example", WIDE)
    take(mia, "home")
    mia.goto(claim_of(mia, "Pages about moving to the cloud") + "send/")
    take(mia, "check-and-send")
    mia.goto("/funds/")
    mia.get_by_role("link", name="Earned Jul to Dec 2023, MCI CSP indirect reseller, Denver").click()
    take(mia, "fund")
    mia.goto("/catalog/syndicated-content/")
    take(mia, "activity")
    mia.goto("/dates/")
    take(mia, "dates")
    take(sign_in(browser, address, "mia@cedarridge.example", NARROW), "home-narrow")
    manager = sign_in(browser, address, "manager@vendor.example", TALL)
    manager.goto("/worklist/")
    manager.locator("tr", has_text="Spring search and social ads").get_by_role("link").first.click()
    take(manager, "review")
    finance = sign_in(browser, address, "finance@vendor.example", TALL)
    finance.goto("/imports/")
    finance.locator("tr", has_text="to be committed").get_by_role("link").first.click()
    take(finance, "import")
    admin = sign_in(browser, address, "program@vendor.example", TALL)
    admin.goto("/rules/simulator/")
    admin.get_by_label("Rules", exact=True).select_option(index=0)
    admin.get_by_role("button", name="Simulate", exact=True).click()
    take(admin, "simulator")


def main(address: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        take_all(browser, address)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
