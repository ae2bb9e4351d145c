"""psycopg 3: text and binary results, server-side cursors, COPY, pipelines, prepared statements, two-phase commit."""

import datetime
import decimal
import hashlib
import sys
import threading
import uuid
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg.types.string import TextBinaryLoader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
from stores import DATA, HOST, PASSWORD, PORT, TABLES, USER, StoresCase, both, main, qualified  # noqa: E402

utc = datetime.timezone.utc


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


ENCODE = {
    "uuid": uuid.UUID,
    "bigint": int,
    "numeric": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "timestamp": lambda text: time_of(text).replace(tzinfo=None),
    "timestamptz": time_of,
    "jsonb": Jsonb,
    "bytea": bytes.fromhex,
    "uuid[]": lambda values: [uuid.UUID(value) for value in values],
}
PROJECTS = [uuid.UUID(project["id"]) for project in DATA["projects"]]
BUSY = uuid.UUID(DATA["busyProject"])
EVENTS = DATA["singleEvents"] + [event for batch in DATA["eventBatches"] for event in batch]
VERSIONS = DATA["versions"]


def encode(kind, value):
    return value if value is None else ENCODE.get(kind, lambda same: same)(value)


def encoded(table, row):
    return {column: encode(TABLES[table]["columns"][column], value) for column, value in row.items()}


def values(table, rows):
    """Rows as they should come back: JSON as what it holds."""
    made = [{column: value.obj if isinstance(value, Jsonb) else value for column, value in encoded(table, row).items()} for row in rows]
    return sorted(made, key=lambda row: [str(row[column]) for column in TABLES[table]["key"]])


def insert(connection, table, rows):
    columns = list(rows[0])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.SQL(qualified(table)), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(map(sql.Placeholder, columns))
    )
    rows = [encoded(table, row) for row in rows]
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)


def upsert(connection, row):
    columns, key = list(row), TABLES["ai_traces"]["key"]
    connection.execute(
        sql.SQL("INSERT INTO hanzo.ai_traces ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {} WHERE excluded.event_ts > ai_traces.event_ts").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
            sql.SQL(", ").join(map(sql.Identifier, key)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in columns if column not in key),
        ),
        encoded("ai_traces", row),
    )


def read(connection, table, where=None, binary=False):
    where = where or {}
    condition = sql.SQL(" AND ").join([sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in where] or [sql.SQL("true")])
    statement = sql.SQL("SELECT * FROM {} WHERE {}").format(sql.SQL(qualified(table)), condition)
    with connection.cursor(row_factory=dict_row, binary=binary) as cursor:
        rows = cursor.execute(statement, where).fetchall()
    return sorted(rows, key=lambda row: [str(row[column]) for column in TABLES[table]["key"]])


def ask(connection, dashboard, binary=False):
    statement, arguments = dashboard["sql"].replace("%", "%%"), {}
    for position, parameter in enumerate(dashboard["parameters"], 1):
        statement = statement.replace(f"${position}", f"%(p{position})s")
        arguments[f"p{position}"] = encode(parameter["type"], parameter["value"])
    return connection.cursor(binary=binary).execute(statement, arguments).fetchall()


class Psycopg(StoresCase):
    client = "psycopg"
    answers = {}

    def connect(self, store, **options):
        connection = psycopg.connect(host=HOST, port=PORT, user=USER, dbname=store.database, **options)
        # An enum comes as bytes in binary results until somebody says that it is text.
        connection.adapters.register_loader(store.mood, TextBinaryLoader)
        return connection

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for store in cls.stores:
            store.mood = int(store.admin("SELECT 'app.mood'::regtype::oid"))

    def check(self, connection):
        project = {"project_id": PROJECTS[2]}
        found = {
            "organizations": read(connection, "organizations"),
            "projects": read(connection, "projects"),
            "website_events": read(connection, "website_events", {"project_id": PROJECTS[1]}),
            "ai_traces": read(connection, "ai_traces", project),
            "ai_observations": read(connection, "ai_observations", project),
            "reviews": read(connection, "reviews"),
            "comments": read(connection, "comments"),
        }
        for table, rows in self.expected.items():
            self.assertEqual(found[table], values(table, rows), table)
        return found

    @both
    def test_writes_one_by_one_and_in_batches(self, store):
        """writes events and traces one by one and in batches"""
        with self.connect(store) as connection:
            insert(connection, "organizations", DATA["organizations"])
            insert(connection, "projects", DATA["projects"])
        with self.connect(store, autocommit=True) as connection:
            for event in DATA["singleEvents"]:
                insert(connection, "website_events", [event])
            for batch in DATA["eventBatches"]:
                insert(connection, "website_events", batch)
            for trace in DATA["singleTraces"]:
                insert(connection, "ai_traces", [trace])
            insert(connection, "ai_traces", DATA["traceBatch"])
            insert(connection, "reviews", DATA["reviews"])
            insert(connection, "comments", DATA["comments"])

    @both
    def test_pipeline(self, store):
        """writes observations in a pipeline"""
        with self.connect(store) as connection, connection.pipeline():
            for row in DATA["observations"]:
                insert(connection, "ai_observations", [row])

    @both
    def test_upsert(self, store):
        """upserts a trace twice: the newest event_ts wins"""
        with self.connect(store) as connection:
            for version in VERSIONS:
                upsert(connection, version)
            [trace] = read(connection, "ai_traces", {"project_id": PROJECTS[2], "id": VERSIONS[0]["id"]})
        self.assertEqual(trace["name"], "second version")
        return trace

    @both
    def test_reads_back(self, store):
        """reads back what it wrote, as text and in binary"""
        traces = [trace for trace in DATA["singleTraces"] + DATA["traceBatch"] if trace["id"] != VERSIONS[0]["id"]]
        Psycopg.expected = {
            "organizations": DATA["organizations"],
            "projects": DATA["projects"],
            "website_events": EVENTS,
            "ai_traces": traces + [VERSIONS[0]],
            "ai_observations": DATA["observations"],
            "reviews": DATA["reviews"],
            "comments": DATA["comments"],
        }
        with self.connect(store) as connection:
            found = self.check(connection)
            for table in ("website_events", "ai_traces", "ai_observations", "reviews", "comments"):
                where = {"project_id": PROJECTS[1 if table == "website_events" else 2]} if "project_id" in TABLES[table]["columns"] else {}
                self.assertEqual(read(connection, table, where, binary=True), found[table], table)
        return found

    @both
    def test_dashboards(self, store):
        """reads the dashboards' queries, as text and in binary, before and after compaction"""
        with self.connect(store) as connection:
            answers = {dashboard["name"]: ask(connection, dashboard) for dashboard in DATA["dashboards"]}
            for name, rows in answers.items():
                self.assertNotEqual(rows, [], name)
        store.compact()
        with self.connect(store) as connection:
            for dashboard in DATA["dashboards"]:
                for binary in (False, True):
                    self.assertEqual(ask(connection, dashboard, binary), answers[dashboard["name"]], dashboard["name"])
            self.check(connection)
        return answers

    @both
    def test_changes_after_compaction(self, store):
        """upserts, updates and deletes rows that were compacted"""
        newest = {**VERSIONS[0], "name": "third version", "event_ts": "2026-01-01T00:00:00.000Z"}
        with self.connect(store) as connection:
            upsert(connection, newest)
            updated = connection.execute("UPDATE hanzo.ai_observations SET level = 'DEBUG' WHERE trace_id = %s", ["trace-001"]).rowcount
            deleted = connection.execute("DELETE FROM hanzo.website_events WHERE project_id = %s AND session_id = %s", [PROJECTS[1], EVENTS[40]["session_id"]]).rowcount
            self.assertEqual((updated, deleted), (8, 8))
        expected = Psycopg.expected
        Psycopg.expected = {
            **expected,
            "ai_traces": [newest if trace["id"] == newest["id"] else trace for trace in expected["ai_traces"]],
            "ai_observations": [{**row, "level": "DEBUG"} if row["trace_id"] == "trace-001" else row for row in expected["ai_observations"]],
            "website_events": [event for event in expected["website_events"] if event["session_id"] != EVENTS[40]["session_id"]],
        }
        with self.connect(store) as connection:
            self.check(connection)
        store.compact()
        with self.connect(store) as connection:
            return self.check(connection)

    @both
    def test_stream(self, store):
        """streams 100,000 rows through a server-side cursor while they are compacted, in binary too"""
        digests = []
        for binary in (False, True):
            lines = []
            with self.connect(store) as connection, connection.cursor("rows", binary=binary) as cursor:
                cursor.itersize = 5000
                cursor.execute("SELECT event_id, url_path, created_at FROM hanzo.website_events WHERE project_id = %s", [BUSY])
                for event, path, created in cursor:
                    lines.append(f"{event} {path} {created.astimezone(utc).isoformat()}")
                    if len(lines) == 1000:
                        store.compact()
            self.assertEqual(len(set(lines)), DATA["busyEvents"])
            digests.append(hashlib.md5("\n".join(sorted(lines)).encode()).hexdigest())
        with self.connect(store) as connection:
            rows = connection.execute("SELECT event_id, url_path, created_at FROM hanzo.website_events WHERE project_id = %s", [BUSY]).fetchall()
        lines = sorted(f"{event} {path} {created.astimezone(utc).isoformat()}" for event, path, created in rows)
        self.assertEqual(digests, [hashlib.md5("\n".join(lines).encode()).hexdigest()] * 2)
        return digests

    @both
    def test_scrollable_cursor(self, store):
        """moves a scrollable cursor both ways, and one that outlives its transaction"""
        with self.connect(store) as connection:
            with connection.cursor("scrolling", scrollable=True) as cursor:
                cursor.execute("SELECT id FROM hanzo.ai_traces WHERE project_id = %s ORDER BY id", [PROJECTS[2]])
                first = cursor.fetchmany(5)
                cursor.scroll(-2)
                again = cursor.fetchmany(2)
                self.assertEqual(again, first[3:])
                cursor.scroll(20, mode="absolute")
                later = cursor.fetchone()
            holding = connection.cursor("holding", withhold=True)
            holding.execute("SELECT id FROM hanzo.ai_observations ORDER BY id")
            connection.commit()
            store.compact()
            held = holding.fetchall()
            holding.close()
        self.assertEqual(len(held), len(DATA["observations"]))
        return first, later, held

    @both
    def test_cancel(self, store):
        """cancels a query by Connection.cancel(), and by a timeout"""
        slow = "SELECT /* slow psycopg */ count(*) FROM hanzo.website_events AS a, hanzo.website_events AS b WHERE a.url_path || b.page_title = a.city || 'none'"
        with self.connect(store, autocommit=True) as connection:
            raised = []

            def run():
                try:
                    connection.execute(slow)
                except psycopg.Error as error:
                    raised.append(error)

            thread = threading.Thread(target=run)
            thread.start()
            store.wait_for("/* slow psycopg */")
            connection.cancel()
            thread.join()
            self.assertEqual([type(error) for error in raised], [errors.QueryCanceled])
            self.assertEqual(raised[0].sqlstate, "57014")
            connection.execute("SET statement_timeout = '300ms'")
            with self.assertRaises(errors.QueryCanceled):
                connection.execute(slow)
            return connection.execute("SELECT count(*) FROM hanzo.ai_traces").fetchone()

    @both
    def test_errors(self, store):
        """raises the exceptions of violated constraints"""
        review, second = DATA["reviews"]
        stranger = {"id": str(uuid.UUID(int=1)), "slug": "stranger"}
        cases = [
            (errors.UniqueViolation, lambda c: insert(c, "reviews", [{**review, **stranger, "slug": second["slug"]}])),
            (errors.UniqueViolation, lambda c: insert(c, "ai_traces", [DATA["singleTraces"][0]])),
            (errors.ForeignKeyViolation, lambda c: insert(c, "reviews", [{**review, **stranger, "organization_id": stranger["id"]}])),
            (errors.ForeignKeyViolation, lambda c: c.execute("DELETE FROM app.reviews WHERE id = %s", [review["id"]])),
            (errors.CheckViolation, lambda c: insert(c, "reviews", [{**review, **stranger, "stars": 6}])),
            (errors.NotNullViolation, lambda c: c.execute("UPDATE hanzo.ai_traces SET name = NULL WHERE id = 'trace-001'")),
            (errors.InsufficientPrivilege, lambda c: c.execute("TRUNCATE hanzo.ai_traces")),
        ]
        details = []
        with self.connect(store, autocommit=True) as connection:
            for expected, run in cases:
                with self.assertRaises(expected) as raised:
                    run(connection)
                details.append((raised.exception.sqlstate, raised.exception.diag.constraint_name, raised.exception.diag.message_detail))
            self.check(connection)
        self.assertEqual([detail[0] for detail in details], ["23505", "23505", "23503", "23503", "23514", "23502", "42501"])
        return details

    @both
    def test_serialization(self, store):
        """meets serialization failures: 40001"""
        with self.connect(store) as first, self.connect(store, autocommit=True) as other:
            for _ in range(2):
                first.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                first.execute("SELECT name FROM hanzo.ai_traces WHERE id = 'trace-020'")
                other.execute("UPDATE hanzo.ai_traces SET name = name WHERE id = 'trace-020'")
                with self.assertRaises(errors.SerializationFailure):
                    first.execute("UPDATE hanzo.ai_traces SET name = 'x' WHERE id = 'trace-020'")
                first.rollback()
        with self.connect(store) as connection:
            return self.check(connection)

    @both
    def test_transactions(self, store):
        """nests transactions, prepares statements and transactions"""
        with self.connect(store) as connection:
            with connection.transaction():
                connection.execute("UPDATE hanzo.ai_traces SET release = 'outer' WHERE id = 'trace-005'")
                with connection.transaction(force_rollback=True):
                    connection.execute("DELETE FROM hanzo.ai_traces")
                    self.assertEqual(connection.execute("SELECT count(*) FROM hanzo.ai_traces").fetchone(), (0,))
            answers = [
                connection.execute("SELECT id, release, tags FROM hanzo.ai_traces WHERE id = %s", [f"trace-0{n:02}"], prepare=True).fetchall() for n in range(10)
            ]
            self.assertEqual(answers[5][0][1], "outer")
            connection.execute("UPDATE hanzo.ai_traces SET release = %s WHERE id = 'trace-005'", [DATA["singleTraces"][5]["release"]])
        connection = self.connect(store)
        connection.tpc_begin("hanzo clients")
        connection.execute("UPDATE hanzo.ai_traces SET version = 'two phases' WHERE id = 'trace-006'")
        connection.tpc_prepare()
        connection.close()
        with self.connect(store) as connection:
            connection.tpc_commit("hanzo clients")
            answers.append(connection.execute("SELECT id, version FROM hanzo.ai_traces WHERE version IS NOT NULL ORDER BY id").fetchall())
        self.assertEqual(answers[-1], [("trace-006", "two phases")])
        return answers

    @both
    def test_copy(self, store):
        """copies rows out and in again, as text and in binary"""
        columns = sql.SQL(", ").join(map(sql.Identifier, TABLES["ai_observations"]["columns"]))
        copied = []
        for kind in ("text", "binary"):
            project = uuid.uuid5(uuid.NAMESPACE_URL, kind)
            with self.connect(store) as connection, self.connect(store) as target:
                target.execute("CREATE TEMP TABLE loaded (LIKE hanzo.ai_observations)")
                with connection.cursor().copy(sql.SQL("COPY (SELECT {} FROM hanzo.ai_observations WHERE project_id = {}) TO STDOUT (FORMAT {})").format(columns, PROJECTS[2], sql.SQL(kind))) as source:
                    with target.cursor().copy(sql.SQL("COPY loaded ({}) FROM STDIN (FORMAT {})").format(columns, sql.SQL(kind))) as sink:
                        for chunk in source:
                            sink.write(chunk)
                target.execute("UPDATE loaded SET project_id = %s", [project])
                target.execute("INSERT INTO hanzo.ai_observations SELECT * FROM loaded")
                target.commit()
                store.compact()
                loaded = read(target, "ai_observations", {"project_id": project})
                target.execute("DELETE FROM hanzo.ai_observations WHERE project_id = %s", [project])
                original = read(connection, "ai_observations", {"project_id": PROJECTS[2]})
            self.assertEqual([{**row, "project_id": PROJECTS[2]} for row in loaded], original)
            copied.append(len(loaded))
        with self.connect(store) as connection:
            with connection.cursor().copy("COPY hanzo.ai_traces (id, project_id, timestamp, tags) FROM STDIN") as copy:
                for n in range(100):
                    copy.write_row((f"copied-{n}", PROJECTS[3], datetime.datetime(2025, 10, 1, tzinfo=utc), ["a,b", '"', None, str(n)]))
            rows = connection.execute("DELETE FROM hanzo.ai_traces WHERE project_id = %s RETURNING id, tags", [PROJECTS[3]]).fetchall()
        self.assertEqual(len(rows), 100)
        return copied, sorted(rows)

    @both
    def test_url(self, store):
        """connects by URL and password"""
        answers = []
        for scheme in ("postgresql", "postgres"):
            url = f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{PORT}/{store.database}"
            with psycopg.connect(url) as connection:
                answers.append(connection.execute("SELECT current_user, inet_server_addr() IS NOT NULL, count(*) FROM hanzo.ai_traces").fetchone())
        with self.assertRaises(psycopg.OperationalError) as raised:
            psycopg.connect(f"postgresql://{USER}:wrong@127.0.0.1:{PORT}/{store.database}")
        self.assertIn("password authentication failed", str(raised.exception))
        with self.assertRaises(psycopg.Error):
            psycopg.connect(f"hanzo-datastore://{USER}@127.0.0.1:{PORT}/{store.database}")
        self.assertEqual(answers[0][:2], (USER, True))
        return answers


main()
