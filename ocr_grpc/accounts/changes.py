"""Tells every server that something about a user changed: role, limits, keys, sessions."""

from ocr_grpc.store.database import Database
from ocr_grpc.store.news import News


class Changes(News):
    """News about users: each is the id of one."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "ocr_grpc_changes")
