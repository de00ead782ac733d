"""pdfium's own functions, without types. Child only; one thread, one document at a time.

The raw interface rather than pypdfium2's classes: those attach a finalizer to every handle, and
closing in the right order is easier to see than to trust.
"""

from importlib import import_module
from typing import Any

# Imported by name because it is generated ctypes code without types: everything in it is `Any`.
raw: Any = import_module("pypdfium2.raw")

Handle = Any
"""An opaque pointer of pdfium; false when null."""
