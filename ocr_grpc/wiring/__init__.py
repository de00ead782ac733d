"""How the parts of a server are put together, for `server.py`."""
