"""A pass-through that adds headers to each request: the public suite cannot sign in.

Everything else goes through as it came, in both directions, piece by piece, so that what the suite judges is what
stands behind. A client that goes away ends the request behind, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

# Of one connection only (RFC 9110 section 7.6.1), or made anew by the client that sends.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer"}


@asynccontextmanager
async def adding(headers: Mapping[str, str], *, to: str, port: int) -> AsyncIterator[str]:
    """Listens on 127.0.0.1:`port` and forwards to the origin `to`; gives its own address."""
    unlimited = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(auto_decompress=False, timeout=unlimited) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            sent = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP]
            body = await request.read()
            async with session.request(
                request.method,
                f"{to}{request.raw_path}",
                headers=[*sent, *headers.items()],
                data=body or None,
                allow_redirects=False,
            ) as answer:
                back = web.StreamResponse(status=answer.status, reason=answer.reason)
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP:
                        back.headers.add(name, value)
                await back.prepare(request)
                async for piece in answer.content.iter_any():
                    await back.write(piece)
                await back.write_eof()
                return back

        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()
