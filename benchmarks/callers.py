"""Callers that each ask on one open connection, again as soon as they are answered.

As a program, `callers.py PORT COUNT SECONDS REQUEST` counts answers and prints them a second; a
process of its own, so that what it does delays no other measurement.
"""

import asyncio
import sys
import time
from pathlib import Path


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send a request and return the body of the answer, which must be 200."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(f"{head!r} {body[:500]!r}")
    return body


async def call(port: int, count: int, seconds: float, request: bytes) -> float:
    """Answers a second to some callers."""
    answers = 0
    end = time.perf_counter() + seconds

    async def caller() -> None:
        nonlocal answers
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            await ask(reader, writer, request)
            answers += 1
        writer.close()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(caller())
    return answers / (time.perf_counter() - began)


if __name__ == "__main__":
    port, count, seconds, request = sys.argv[1:]
    found = call(int(port), int(count), float(seconds), Path(request).read_bytes())
    print(asyncio.run(found))
