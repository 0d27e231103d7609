"""Whole databases: copies for a round, and how big things are. As the owner, beside the product's connection."""

from __future__ import annotations

import os

import psycopg
from django.conf import settings
from django.db import connection


def owner(database: str = "postgres") -> psycopg.Connection:
    """A connection of its own, which commits each statement."""
    found = settings.DATABASES["default"]
    return psycopg.connect(host=found["HOST"], user=found["USER"], dbname=database, autocommit=True)


def use(database: str) -> None:
    """Make the product speak to this database from now on, and the processes that are started too."""
    connection.close()
    connection.settings_dict["NAME"] = os.environ["COOP_DATABASE"] = database


def copy(source: str, target: str) -> str:
    """Copy a database file by file, in place of what `target` was. Nobody may be connected to either."""
    connection.close()
    with owner() as sql:
        sql.execute(f"DROP DATABASE IF EXISTS {target} (FORCE)")
        sql.execute(f"CREATE DATABASE {target} TEMPLATE {source} STRATEGY FILE_COPY")
        sql.execute("CHECKPOINT")
    return target


def drop(database: str) -> None:
    connection.close()
    with owner() as sql:
        sql.execute(f"DROP DATABASE IF EXISTS {database} (FORCE)")


def settle(database: str) -> None:
    """What autovacuum would have done by now: visibility, statistics, a checkpoint."""
    connection.close()
    with owner(database) as sql:
        sql.execute("VACUUM ANALYZE")
        sql.execute("CHECKPOINT")
