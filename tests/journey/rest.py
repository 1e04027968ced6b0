"""What a page shows when nothing on it moves any more, however slow the machine that draws it."""

from typing import Any

import pytest
from playwright.sync_api import Page

READINGS = 50
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"


def at_rest(page: Page, script: str) -> Any:
    """Return what `script` finds on the page as soon as it finds the same twice running, some frames apart."""
    found: Any = None
    for _ in range(READINGS):
        before, found = found, page.evaluate(script)
        if found == before:
            return found
        # Some frames as well as some time: on a busy machine no frame may have been drawn meanwhile.
        page.evaluate(FRAMES)
        page.wait_for_timeout(200)
    pytest.fail("the page does not come to rest")
