"""A real Chromium, without a window and without a network, for the pages that repoqa writes."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars"),
)


@contextmanager
def chromium(folder: Path, *, size: tuple[int, int] = (1280, 900)) -> Iterator[Any]:
    """A browser with an empty profile in `folder`; where there is none the test is skipped, but
    never where CI runs it on Linux."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (binary and driver):
        reason = "no chromium and chromedriver (Debian: chromium, chromium-driver)"
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium.webdriver.chrome.options import Options

    options = Options()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={folder}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = _started(options, driver)
    try:
        yield browser
    finally:
        browser.quit()


def _started(options: Any, driver: str) -> Any:
    """A browser; one that a busy machine was too slow for is started once more."""
    from selenium.common.exceptions import SessionNotCreatedException
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.service import Service

    try:
        return Chrome(options=options, service=Service(driver))
    except SessionNotCreatedException:
        return Chrome(options=options, service=Service(driver))


def prefer(browser: Any, **features: str) -> None:
    """What the user prefers, as in prefer(browser, prefers_color_scheme="dark")."""
    wanted = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})


def resize(browser: Any, width: int, height: int) -> None:
    """The window's size in CSS pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
