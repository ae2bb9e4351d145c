"""The two databases of a test, as in stores.mjs: one columnar, one of heaps. Whatever a test does, it does in both, and what it
returns must be equal."""

import json
import os
import subprocess
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
HOST, PORT, SUPERUSER = (os.environ[name] for name in ("PGHOST", "PGPORT", "PGUSER"))
PASSWORD = os.environ["HANZO_CLIENT_PASSWORD"]
PSQL = os.environ.get("HANZO_PSQL", "psql")
USER = "clients_console"
DATA = json.loads(subprocess.run([os.environ.get("HANZO_NODE", "node"), TOP / "shared/export.mjs"], check=True, capture_output=True).stdout)
TABLES = DATA["tables"]


def qualified(table):
    return f"{TABLES[table]['schema']}.{table}"


def psql(database, *commands, user=SUPERUSER, options=(), stdin=None):
    """What psql prints; an error where it fails."""
    arguments = [PSQL, "-X", "-q", "-h", HOST, "-p", PORT, "-U", user, "-d", database, "-v", "ON_ERROR_STOP=1", *options]
    for command in commands:
        arguments += ["-c", command]
    environment = {**os.environ, "PAGER": "", "PSQL_HISTORY": "/dev/null", "LC_ALL": "C.UTF-8"}
    result = subprocess.run(arguments, input=stdin, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        raise RuntimeError(f"psql: {result.stderr}")
    return result.stdout


class Store:
    def __init__(self, client, name):
        self.name = name
        self.database = f"{client}_{name}"
        # The server waits for five seconds only until all have left a database.
        for tries in range(36):
            try:
                psql("postgres", f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)", f"CREATE DATABASE {self.database} TEMPLATE clients_{name}")
                break
            except RuntimeError as error:
                if "is being accessed by other users" not in str(error) or tries == 35:
                    raise

    def admin(self, *commands):
        return psql(self.database, *commands, options=("-A", "-t")).strip()

    def compact(self):
        if self.name == "heap":
            return
        columnar = [qualified(table) for table in TABLES if table not in ("organizations", "projects")]
        psql(self.database, *(f"CALL hanzo_datastore.compact('{table}')" for table in columnar))
        assert int(self.admin("SELECT sum(rows) FROM hanzo_datastore.columnar_tables")) > DATA["busyEvents"]

    def wait_for(self, text):
        """The process that runs a statement with this text over partitions, as soon as there is one. It has one locked once the
        query is planned; before, between the messages of a query, a cancel would be lost."""
        while True:
            pid = self.admin(
                "SELECT a.pid FROM pg_stat_activity AS a WHERE datname = current_database() AND a.pid <> pg_backend_pid()"
                f" AND state = 'active' AND query LIKE '%{text}%'"
                " AND EXISTS (SELECT FROM pg_locks AS l JOIN pg_inherits ON inhrelid = relation WHERE l.pid = a.pid)"
            )
            if pid:
                return int(pid)
            time.sleep(0.02)


class StoresCase(unittest.TestCase):
    """Tests are run in the order of the class. Decorated with @both, they get a store and are run in each."""

    client = None
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.stores = [Store(cls.client, name) for name in ("columnar", "heap")]


def both(test):
    def run(self):
        answers = []
        for store in self.stores:
            try:
                answers.append(test(self, store))
            except Exception as error:
                raise AssertionError(f"in the {store.name} store") from error
        self.assertEqual(answers[0], answers[1], "the columnar tables answer as the heaps")

    run.__doc__ = test.__doc__
    return run


class InOrder(unittest.TestLoader):
    def getTestCaseNames(self, case):
        return [name for name in vars(case) if name.startswith("test")]


def main():
    """Runs the tests of the calling script in the order in which they stand there; a line for each."""
    unittest.main(module="__main__", testLoader=InOrder(), verbosity=2)
