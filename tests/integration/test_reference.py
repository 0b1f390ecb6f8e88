"""The page to read and try the API: of our own files, under the strict policy, in the reader's language."""

import re

import pytest

from service.dashboard.assets import by_address
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SECRET


@pytest.mark.parametrize(
    ("language", "says"), [("en", "This page needs JavaScript"), ("zh", "本页需要 JavaScript")]
)
async def test_it_is_of_our_own_files_and_nobody_needs_a_token(
    serve: Serve, language: str, says: str
) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        page = await client.get("/schema", headers={"accept-language": language})
        asked = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)
        kinds = {(await client.get(address)).headers["content-type"] for address in asked}
    assert (page.status_code, says in page.text) == (200, True)
    assert set(asked) <= {*by_address(), "/schema/openapi.json"}
    assert {kind.partition(";")[0] for kind in kinds} == {
        *("application/json", "image/svg+xml", "text/css", "text/javascript"),
    }
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"<script(?! src=)|<style| style=| on[a-z]+=", page.text)


async def test_its_files_are_packed_where_that_is_understood(serve: Serve) -> None:
    (large,) = [asset for asset in by_address().values() if len(asset.body()) > 1_000_000]
    async with serve(NOW) as client:
        packed, plain = [
            await client.get(large.address, headers={"accept-encoding": encoding})
            for encoding in ("gzip", "identity")
        ]
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(large.body()) / 2
    assert packed.content == plain.content == large.body()
    assert {each.headers["vary"] for each in (packed, plain)} == {"accept-encoding"}
