"""What a worker has loaded for good is not looked through again by the garbage collector."""

import os
import sys

from service.settings import Settings
from tests.support.children import run_program
from tests.support.instances import environment

PROGRAM = """
import asyncio, gc
gc.disable()
from service.app import application
from service.dashboard.pages import prepare
application()
print(len(gc.get_objects()), gc.get_freeze_count())
asyncio.run(prepare("en"))
print(len(gc.get_objects()), gc.get_freeze_count())
"""


def test_what_is_loaded_is_set_aside_at_the_start_and_nothing_while_callers_are_served(
    settings: Settings,
) -> None:
    done = run_program(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment(settings),
        capture_output=True,
        check=True,
        timeout=60,
    )
    (at_start, frozen_at_start), (with_page, frozen_with_page) = (
        map(int, line.split()) for line in done.stdout.splitlines()[-2:]
    )
    assert at_start < 1000
    assert 10_000 < frozen_with_page <= frozen_at_start
    # A first page leaves so little behind that looking through it costs next to nothing.
    assert with_page < 10_000
