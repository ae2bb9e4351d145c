"""psql: what \\d+, \\dt+ and \\dP+ show, \\copy, \\watch, \\gset, \\crosstabview, interruption, tab completion on a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
from stores import DATA, HOST, PASSWORD, PORT, PSQL, USER, StoresCase, both, main, psql  # noqa: E402

BUSY = DATA["busyProject"]


class Terminal:
    """psql on a terminal of its own."""

    def __init__(self, database):
        environment = {**os.environ, "TERM": "vt100", "PAGER": "", "PSQL_PAGER": "", "PSQL_HISTORY": "/dev/null", "INPUTRC": "/dev/null", "COLUMNS": "200", "LINES": "50"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(PSQL, [PSQL, "-X", "-h", HOST, "-p", PORT, "-U", "postgres", "-d", database, "-v", "PROMPT1=ready> ", "-v", "PROMPT2=more> "], environment)
        self.text = ""
        self.expect(r"ready> $")

    def expect(self, pattern, seconds=60):
        """Reads until the text since the last call matches, and returns it. Nothing to read for so long: an error."""
        while not re.search(pattern, self.text):
            readable, _, _ = select.select([self.fd], [], [], seconds)
            if not readable:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            # What moves the cursor, rings or changes colours is no text.
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x07", "", os.read(self.fd, 4096).decode())
        text, self.text = self.text, ""
        return text

    def send(self, text):
        os.write(self.fd, text.encode())

    def complete(self, text, pattern):
        """Types the text and a tab; gives what stands there once it matches. The line is then given up."""
        self.send(text + "\t")
        found = self.expect(pattern)
        # Control-C cancels the query for candidates if that is not quite over; then another one gives up the line.
        for attempt in range(30):
            self.send("\x03")
            try:
                self.expect(r"ready> $", seconds=2)
                break
            except AssertionError:
                if attempt == 29:
                    raise
        return re.search(pattern, found).group(0)

    def close(self):
        os.close(self.fd)  # the terminal hangs up
        os.waitpid(self.pid, 0)


class Psql(StoresCase):
    client = "psql"

    def ask(self, store, *commands, **options):
        return psql(store.database, *commands, **options)

    @both
    def test_describe(self, store):
        """\\d+ names the access method, indexes and constraints"""
        method = "heap" if store.name == "heap" else "hanzo_columnar"
        answers = []
        for table in ("hanzo.event_properties_2025_10", "hanzo.ai_traces_2025_09", "hanzo.session_properties", "app.reviews", "app.comments", "hanzo.ai_traces"):
            text = self.ask(store, f"\\d+ {table}")
            # A partitioned table has no access method of its own.
            self.assertEqual(re.findall(r"Access method: (.*)", text), [] if table == "hanzo.ai_traces" else [method], table)
            answers.append(text.replace(f"Access method: {method}", ""))
        self.assertIn('"comments_pkey" PRIMARY KEY, btree (id)', answers[4])
        self.assertIn('TABLE "app.comments" CONSTRAINT "comments_review_id_fkey" FOREIGN KEY (review_id) REFERENCES app.reviews(id)', answers[3])
        return answers

    @both
    def test_list(self, store):
        """\\dt+ and \\dP+ list the tables with access method and size"""
        method = "heap" if store.name == "heap" else "hanzo_columnar"
        rows = [line.split("|") for line in self.ask(store, "\\dt+ hanzo.*", options=("-A", "-t")).splitlines()]
        sizes = "SELECT relname, pg_size_pretty(pg_table_size(oid)) FROM pg_class WHERE relnamespace = 'hanzo'::regnamespace"
        size = dict(line.split("|") for line in store.admin(sizes).splitlines())
        # Schema, name, type, owner, persistence, access method, size, description.
        for row in rows:
            with self.subTest(table=row[1]):
                if row[2] == "partitioned table":
                    self.assertEqual(row[5], "")
                elif row[1] in ("organizations", "projects", "model_catalog") or re.search("_(states|marks)$", row[1]):
                    self.assertEqual(row[5], "heap")
                else:
                    self.assertEqual(row[5], method)
                self.assertEqual(row[6], size[row[1]])
        [busy] = [row for row in rows if row[1] == "website_events_2025_10"]
        self.assertRegex(busy[6], r"^[0-9]+ [MG]B$")
        partitioned = [line.split("|") for line in self.ask(store, "\\dP+ hanzo.*", options=("-A", "-t")).splitlines()]
        sizes = """SELECT relname, (SELECT pg_size_pretty(sum(pg_table_size(relid))) FROM pg_partition_tree(c.oid))
                   FROM pg_class AS c WHERE relnamespace = 'hanzo'::regnamespace AND relkind IN ('p', 'I')"""
        size = dict(line.split("|") for line in store.admin(sizes).splitlines())
        for row in partitioned:
            self.assertEqual(row[6], size[row[1]], row)
        self.assertIn(["hanzo", "ai_traces_pkey", "postgres", "partitioned index", "", "hanzo.ai_traces"], [row[:6] for row in partitioned])
        return [row[:5] for row in rows], [row[:6] for row in partitioned]

    @both
    def test_other_lists(self, store):
        """\\di+, \\dm, \\dv, \\dp, \\df and \\dx show the same"""
        answers = [
            self.ask(store, command, options=("-A", "-t"))
            for command in ("\\di hanzo.*", "\\dv hanzo.*", "\\dp hanzo.ai_traces", "\\dx hanzo_datastore", "\\df hanzo_datastore.compact", "\\dn+ hanzo", "\\dA")
        ]
        self.assertIn("hanzo_columnar|Table", answers[-1])
        return answers

    @both
    def test_copy(self, store):
        """\\copy out and in, as text, csv and binary, from a program and from stdin"""
        answers = []
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("text", "csv", "binary"):
                source = f"(SELECT * FROM hanzo.website_events WHERE project_id = '{BUSY}' ORDER BY created_at LIMIT 20000)"
                said = self.ask(
                    store,
                    f"\\copy {source} TO '{folder}/events.{kind}' WITH (FORMAT {kind})",
                    f"CREATE TABLE app.loaded (LIKE hanzo.website_events) USING {'heap' if store.name == 'heap' else 'hanzo_columnar'}",
                    f"\\copy app.loaded FROM '{folder}/events.{kind}' WITH (FORMAT {kind})",
                )
                self.assertEqual(said, "")
                if store.name != "heap":
                    self.ask(store, "CALL hanzo_datastore.compact('app.loaded')")
                difference = f"SELECT count(*) FROM (SELECT * FROM app.loaded EXCEPT ALL SELECT * FROM {source} AS rows) AS d"
                answers.append(store.admin("SELECT count(*), min(created_at), max(created_at) FROM app.loaded", difference, "DROP TABLE app.loaded"))
                self.assertEqual(answers[-1].splitlines()[1], "0")
        rows = "".join(f"piped-{n}\t{DATA['projects'][3]['id']}\t2025-10-0{1 + n}\n" for n in range(5))
        self.ask(store, stdin=f"\\copy hanzo.ai_traces (id, project_id, timestamp) FROM STDIN\n{rows}\\.\n")
        with self.assertRaisesRegex(RuntimeError, "duplicate key value"):
            self.ask(store, "\\copy hanzo.ai_traces (id, project_id, timestamp) FROM PSTDIN", stdin=rows)
        answers.append(store.admin(f"DELETE FROM hanzo.ai_traces WHERE project_id = '{DATA['projects'][3]['id']}' RETURNING id"))
        return answers

    @both
    def test_watch(self, store):
        """\\watch shows new rows as they come, and ends when interrupted"""
        insert = f"INSERT INTO hanzo.ai_traces (id, project_id, timestamp) VALUES (gen_random_uuid(), '{BUSY}', '2025-10-05')"
        command = [PSQL, "-X", "-A", "-t", "-h", HOST, "-p", PORT, "-U", "postgres", "-d", store.database]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PAGER": "", "PSQL_WATCH_PAGER": ""})
        process.stdin.write(f"SELECT 'traces:', count(*) FROM hanzo.ai_traces WHERE project_id = '{BUSY}' \\watch 0.1\n")
        process.stdin.flush()
        seen = []
        for line in process.stdout:
            found = re.match(r"traces:\|(\d+)", line)
            if found and int(found.group(1)) not in seen:
                seen.append(int(found.group(1)))
                if len(seen) == 4:
                    break
                self.ask(store, insert)
                store.compact()
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        process.stdout.read()
        process.stdout.close()
        # 3: it came while a query was running
        self.assertIn(process.wait(), (0, 3))
        self.assertEqual(seen, [0, 1, 2, 3])
        store.admin(f"DELETE FROM hanzo.ai_traces WHERE project_id = '{BUSY}'")
        return seen

    @both
    def test_interrupt(self, store):
        """control-C cancels a query, and the session goes on"""
        terminal = Terminal(store.database)
        terminal.send("SELECT /* slow psql */ count(*) FROM hanzo.website_events AS a, hanzo.website_events AS b WHERE a.url_path || b.page_title = a.city || 'none';\n")
        store.wait_for("/* slow psql */")
        terminal.send("\x03")
        said = terminal.expect(r"canceling statement[^\n]*\n[^$]*ready> $")
        terminal.send("\\errverbose\n")
        verbose = terminal.expect(r"LOCATION[^\n]*\n[^$]*ready> $")
        terminal.send("SELECT count(*) AS traces FROM hanzo.ai_traces;\n")
        count = re.search(r"-+\r\n +(\d+)", terminal.expect(r"\(1 row\)[^$]*ready> $")).group(1)
        terminal.close()
        self.assertIn("57014", verbose)
        self.assertIn("canceling statement due to user request", said)
        return count

    @both
    def test_tab(self, store):
        """tab completes tables, columns, access methods and procedures"""
        terminal = Terminal(store.database)
        completed = [
            terminal.complete(typed, pattern)
            for typed, pattern in (
                ("SELECT count(*) FROM hanzo.website_events_2025_1", r"hanzo\.website_events_2025_10 $"),
                ("SELECT * FROM hanzo.session_pr", r"hanzo\.session_properties $"),
                ("\\d app.rev", r"app\.reviews$"),
                ("ALTER TABLE app.comments SET ACCESS METHOD ha", r"hanzo_columnar $"),
                ("CALL hanzo_datastore.compa", r"hanzo_datastore\.compact $"),
                ("UPDATE app.comments SET auth", r"SET author $"),
                ("INSERT INTO hanzo.ai_tra", r"hanzo\.ai_traces$"),
                ("DROP TABLE app.comm", r"app\.comments $"),
            )
        ]
        # Several candidates: the second tab lists them.
        terminal.send("SELECT * FROM hanzo.ai_traces\t\t")
        listed = terminal.expect(r"ai_traces_default(.|\n)*FROM hanzo\.ai_traces$")
        self.assertEqual({name for name in re.findall(r"ai_traces_\w+", listed)} >= {"ai_traces_2025_09", "ai_traces_2025_10", "ai_traces_default"}, True, listed)
        terminal.close()
        return completed, sorted(set(re.findall(r"ai_traces\w*", listed)))

    @both
    def test_output(self, store):
        """\\gset, \\crosstabview, \\gx, \\gexec and \\bind-like variables"""
        script = f"""
SELECT id AS project, slug FROM (VALUES ('{BUSY}'::uuid, 'busy')) AS p (id, slug) \\gset
SELECT browser, country, count(*) FROM hanzo.website_events WHERE project_id = :'project' GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview
SELECT * FROM hanzo.website_events WHERE project_id = :'project' ORDER BY created_at, event_id LIMIT 2 \\gx
SELECT format('SELECT count(*) AS %I FROM %s', relname, oid::regclass) FROM pg_class WHERE relname LIKE 'website\\_events\\_2025%' AND relkind = 'r' ORDER BY 1 \\gexec
\\pset format csv
SELECT os, count(*) FROM hanzo.website_events WHERE project_id = :'project' GROUP BY 1 ORDER BY 1;
"""
        answer = self.ask(store, stdin=script)
        self.assertIn("Firefox", answer)
        return answer

    @both
    def test_url(self, store):
        """a URL with a password, and one that is none of PostgreSQL's"""
        from urllib.parse import quote

        def connect(url):
            return subprocess.run([PSQL, "-X", "-A", "-t", "-c", "SELECT current_user, count(*) FROM hanzo.website_events", url], capture_output=True, text=True)

        place = f"{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{PORT}/{store.database}"
        self.assertEqual(connect(f"postgresql://{place}").stdout, f"{USER}|{DATA['busyEvents']}\n")
        self.assertEqual(connect(f"postgres://{place}").stdout, f"{USER}|{DATA['busyEvents']}\n")
        self.assertNotEqual(connect(f"hanzo-datastore://{place}").returncode, 0)
        self.assertIn("password authentication failed", connect(f"postgresql://{USER}:wrong@127.0.0.1:{PORT}/{store.database}").stderr)


main()
