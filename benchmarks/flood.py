"""One caller's flood of questions that no answer stands ready for, from a process of its own.

`python -m benchmarks.flood URL SECONDS`; prints how many were answered, by status.
"""

import asyncio
import sys
import time
from collections import Counter
from itertools import count
from urllib.parse import urlsplit

from service.api.table import PREFIX
from tests.support.tokens import bearer, claims, token

CONNECTIONS = 32
FLOODING = "t0"


async def flood(url: str, seconds: float) -> Counter[int]:
    """Ask over so many connections, each again as soon as it is answered."""
    statuses: Counter[int] = Counter()
    pages, until = count(1), time.monotonic() + seconds
    place = urlsplit(url)

    async def ask(operator: int) -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        (header,) = bearer(token(claims(tenant_id=FLOODING, sub=str(operator)))).items()
        while time.monotonic() < until:
            path = f"{PREFIX}/doc-sync/failures?page={next(pages)}"
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n{': '.join(header)}\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            statuses[int(head.split()[1])] += 1
        writer.close()

    await asyncio.gather(*(ask(operator) for operator in range(CONNECTIONS)))
    return statuses


if __name__ == "__main__":
    found = asyncio.run(flood(sys.argv[1], float(sys.argv[2])))
    sys.stdout.write(", ".join(f"{number:,} x {status}" for status, number in sorted(found.items())))
