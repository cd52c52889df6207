"""Command lines: what one argv, or a list of plain commands, would do."""

from enforcers.intent.shell.calls import SqlReader
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.reader import read_argv, read_line

__all__ = ["Code", "SqlReader", "read_argv", "read_line"]
