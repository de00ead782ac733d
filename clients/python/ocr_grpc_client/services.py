"""The stubs of all services, asynchronous and synchronous."""

from ._generated import services
from ._generated.services import *  # noqa: F403 - all of them, by their __all__
from ._generated.services import Caller as Caller
from ._generated.services import SyncCaller as SyncCaller

__all__: list[str] = []
__all__ += services.__all__
