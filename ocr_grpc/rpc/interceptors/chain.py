"""Several interceptors as one."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from ocr_grpc.rpc.interceptors.base import Call, CallInterceptor


class InterceptorChain(CallInterceptor):
    """Puts interceptors around a call, the first of them outermost.

    grpc could do that itself. It would pass every message through a generator of each of them, and
    hold those for as long as a stream lasts; here there is one.
    """

    def __init__(self, links: Iterable[CallInterceptor]) -> None:
        """Take the interceptors, from the outside to the inside."""
        super().__init__()
        self._links = tuple(links)

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncGenerator[None, None]:
        """Enter all of them, and leave those that were entered in the opposite order."""
        async with AsyncExitStack() as stack:
            for link in self._links:
                await stack.enter_async_context(link.around(call))
            yield

    async def before_first_response(self, call: Call) -> None:
        """Tell all of them, from the inside to the outside, as an answer goes."""
        for link in reversed(self._links):
            await link.before_first_response(call)
