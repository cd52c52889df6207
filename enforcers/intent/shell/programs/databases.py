"""
Clients of databases: SQL inside is read by the SQL reader; everything else that a client can run
is opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    INTERPRETER,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, act


@dataclass(frozen=True, slots=True)
class Client:
    """A client that gets SQL in an option, or after the database's name."""

    dialect: str
    options: str
    sql: tuple[str, ...]
    """Options whose value is SQL."""
    operand: int = 99
    """The first operand that is SQL."""
    file: bool = False
    """Whether the first operand is a database file."""
    single: bool = False

    def __call__(self, call: Call) -> Reading:
        options = read_options(call.args, self.options, single=self.single)
        found = [act(call, o.action, o.value) for o in options.given if o.action]
        texts = options.values(*self.sql) + options.operands[self.operand :]
        found += [self._text(call, text) for text in texts]
        if self.file:
            found += [call.file("W", name) for name in options.operands[:1]]
        if options.has("list"):
            return union(found).tagged(READ_ONLY)
        if not texts:
            found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
        if options.unknown:
            found.append(Reading(opaque=(Code.HIDDEN_COMMAND,)))
        return union(found).tagged(WRAPPER)

    def _text(self, call: Call, text: str) -> Reading:
        """SQL, unless it holds a command of the client itself."""
        if text.lstrip().startswith((".", "\\")) or "\\" in text or "\n." in text:
            return Reading(opaque=(Code.INTERPRETER_CODE,))
        return call.sql(text, self.dialect)


_PSQL = """
        -c|--command= -d|--dbname= -h|--host=h -p|--port= -U|--username= -f|--file=x -o|--output=w
        -L|--log-file=w -v|--set|--variable=x -P|--pset= -F|--field-separator=
        -R|--record-separator= -T|--table-attr= -l|--list -t|--tuples-only -A|--no-align
        -q|--quiet -X|--no-psqlrc -w|--no-password -W|--password -x|--expanded
        -1|--single-transaction -e|--echo-queries -E|--echo-hidden -a -b -n -s -S -H|--html
        -z -0 --csv
    """
_MYSQL = """
        -e|--execute= -h|--host=h -P|--port= -u|--user= -p|--password? -D|--database= -S|--socket=
        -N|--skip-column-names -B|--batch -t|--table -r|--raw -s|--silent -v|--verbose
        -E|--vertical -H|--html -X|--xml -f|--force -A -C -q --tee=w --pager=x
        --init-command=x --defaults-file=x --defaults-extra-file=x --plugin-dir=x
        --ssl-mode= --ssl-ca=r --protocol= --default-character-set= --login-path= --skip-ssl
        --local-infile?x
    """
_SQLITE = """
        -cmd=x -init=x -separator= -nullvalue= -newline= -vfs= -maxsize= -mmap= -header -noheader
        -csv -json -line -list -column -html -markdown -table -box -quote -tabs -ascii
        -batch -bail -readonly -safe -echo -stats -interactive -unsafe-testing -A=x -append
        -zip -deserialize
    """
_DUCKDB = """
        -c= -s= -cmd=x -init=x -f=x -separator= -nullvalue= -newline= -header -noheader -csv -json
        -jsonlines -line -list -column -html -markdown -table -box -ascii -batch -bail
        -readonly -safe -echo -no-stdin -unsigned=x -interactive -unredacted -ui=x
    """


def _server(*read: str) -> Callable[[Call], Reading]:
    """A reader for a client with a language of its own: the words `read` only look."""
    allowed = frozenset(read)

    def reader(call: Call) -> Reading:
        options = read_options(
            call.args,
            """
        -h|--host=h -p|--port= -a|--pass= -n= -u=h -e|--eval= --user= -x|--pipe -d=
    """,
        )
        words = options.operands
        if words and words[0].lower() in allowed and not options.has("eval", "x"):
            found = [act(call, o.action, o.value) for o in options.given if o.action]
            return union(found) + thing(Verb.READ, f"{call.name} {words[0].lower()}").tagged(
                READ_ONLY
            )
        changed = thing(Verb.WRITE, " ".join((call.name, *words))[:200], Extent.WHOLE)
        return changed + unclear(Code.INTERPRETER_CODE)

    return reader


def _destroy(call: Call) -> Reading:
    """A program that drops a database."""
    return thing(Verb.DROP, " ".join((call.name, *call.args)), Extent.WHOLE).tagged(DESCRIBED)


def _create(call: Call) -> Reading:
    """A program that makes a database or a role."""
    return thing(Verb.CREATE, " ".join((call.name, *call.args))).tagged(DESCRIBED)


def _dump(call: Call) -> Reading:
    """A dump: all data of a database goes to the output or a file."""
    options = read_options(
        call.args,
        """
        -f|--file|--result-file|--out|-r=w -h|--host=h -U= -u= -p? -d= -n= -t= -F= -Z= -j= -o=w
    """,
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    return union(found) + thing(
        Verb.EXPORT, " ".join((call.name, *options.operands)), Extent.WHOLE
    ).tagged(DESCRIBED)


def _restore(call: Call) -> Reading:
    """A restore: what it writes is said by a file."""
    return thing(Verb.IMPORT, call.name, Extent.WHOLE) + Reading(
        opaque=(Code.UNREAD_INPUT,), tags=(INTERPRETER,)
    )


_REDIS = names("""
        get mget keys scan info ping ttl pttl type exists strlen llen lrange hget hgetall hlen hkeys
        scard smembers zcard zrange dbsize time
    """)

PROGRAMS: Table = (
    ("psql pgcli ", Client("postgres", _PSQL, ("command",))),
    ("mysql mariadb mycli", Client("mysql", _MYSQL, ("execute",))),
    ("sqlite3 sqlite litecli", Client("sqlite", _SQLITE, (), operand=1, file=True, single=True)),
    ("duckdb", Client("duckdb", _DUCKDB, ("c", "s"), operand=1, file=True, single=True)),
    ("snowsql", Client("snowflake", "-q|--query= -f=x -o= -a= -u= -d= -s= -w= -r=", ("query",))),
    (
        "sqlcmd",
        Client(
            "tsql",
            """
        -Q= -q= -i=x -o=w -S=h -U= -P= -d= -E -C -N -b -W -h= -s= -t=
    """,
            ("Q", "q"),
        ),
    ),
    (
        "clickhouse-client clickhouse",
        Client(
            "clickhouse",
            """
        -q|--query= -h|--host=h --port= -u|--user= --password? -d|--database= -f|--format=
    """,
            ("query",),
        ),
    ),
    (
        "trino presto",
        Client(
            "trino",
            """
        --execute= --server=h --catalog= --schema= --user= -f=x --output-format=
    """,
            ("execute",),
        ),
    ),
    ("redis-cli valkey-cli keydb-cli", _server(*_REDIS)),
    (
        """
        mongosh mongo cqlsh influx etcdctl rabbitmqctl rabbitmqadmin kafka-topics kafka-topics.sh
        kafka-configs kafka-acls kafka-console-producer kafka-delete-records.sh zkCli.sh
        nats pulsar-admin isql sqlplus bcp db2 usql osql cypher-shell spark-sql spark-submit
        beeline hive impala-shell hdfs hadoop
    """,
        _server(),
    ),
    ("dropdb dropuser mysqladmin pg_resetwal pg_ctl initdb pg_dropcluster", _destroy),
    ("createdb createuser", _create),
    (
        """
        pg_dump pg_dumpall mysqldump mariadb-dump mongodump mongoexport pg_basebackup redis-dump
        sqldiff
    """,
        _dump,
    ),
    ("pg_restore mysqlimport mongorestore mongoimport pgloader", _restore),
)
