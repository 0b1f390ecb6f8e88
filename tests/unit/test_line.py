"""A tenant's line: who has waited as long as an answer may take is told so."""

import pytest

from service.cache.unavailable import TooManyAtOnce, Unavailable
from service.tenants.line import MOST_AT_ONCE, Line


async def test_nobody_waits_longer_than_an_answer_may_take() -> None:
    line = Line(seconds=0.01)
    for _ in range(MOST_AT_ONCE):
        await line.enter()
    with pytest.raises(Unavailable) as raised:
        await line.enter()
    assert raised.type is not TooManyAtOnce
    line.leave()
    await line.enter()
