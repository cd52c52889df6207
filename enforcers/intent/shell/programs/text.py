"""
Programs that read files or the machine and print: what they may write or run by an option is in
the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from enforcers.intent.shell.calls import Call, Reading, environment
from enforcers.intent.shell.tables import Row, Table, read_row

_GREP = """
        -e|--regexp= -f|--file=r -A|--after-context= -B|--before-context= -C|--context=
        -m|--max-count= -d|--directories= -D|--devices= --include= --exclude= --exclude-dir=
        --exclude-from=r --label= --binary-files= --color? -r|--recursive!R
        -R|--dereference-recursive!R -i -n -v -l -c -o -w -x -q -s -h -H -E -F -P -a -z -L
    """

_JQ = Row(
    """
        -f|--from-file=r -L= --tab -r -c -e -s -n -M -C -S -j -a --indent= --slurp --raw-output
        --compact-output --seq
    """,
    operands="-r",
)
_YQ = Row(
    """
        -i|--inplace|--in-place!W -s|--split-exp=w -p|--input-format= -o|--output-format=
        -I|--indent= --from-file=r -r -P
    """,
    operands="-r",
)
_OPEN = re.compile(r"env|ENV|load|system|input_filename")


def _filter(row: Row) -> Callable[[Call], Reading]:
    """A filter of structured text whose small language can show the environment or load files."""

    def read(call: Call) -> Reading:
        found = read_row(call, row)
        if any(_OPEN.search(arg) for arg in call.args):
            found += environment("secret")
        return found

    return read


PROGRAMS: Table = (
    (
        "cat tac nl rev fold fmt pr expand unexpand od hexdump hd strings paste join comm column",
        Row("""
        -w= -n= -s|--separator= -t= -N= -A= -j= -1= -2= -o= -a= -d|--delimiters= -v= -l= -p= -e= -f=
        --width= --format=
    """),
    ),
    ("head tail", Row("-n|--lines= -c|--bytes= -s|--sleep-interval= --pid= -f|--follow? -q -v -F")),
    (
        "wc cksum sum b2sum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum md5 shasum",
        Row("--files0-from=r -a= -c|--check -w -l -m"),
    ),
    (
        "cut",
        Row("""
        -b|--bytes= -c|--characters= -d|--delimiter= -f|--fields= --output-delimiter= -s -z
    """),
    ),
    ("grep egrep fgrep zgrep bzgrep xzgrep ugrep", Row(_GREP, operands="-r")),
    (
        "rg",
        Row(
            _GREP
            + """
        --pre=x --hostname-bin=x -g|--glob= -t|--type= -T|--type-not= -j|--threads= --sort=
        -M|--max-columns= --search-zip --max-depth= -u
    """,
            operands="-r",
        ),
    ),
    (
        "ag ack",
        Row(
            """
        --pager=x -G= -A= -B= -C= -m= --ignore= --ignore-dir= -g= --type= --ackrc=x
    """,
            operands="-r",
        ),
    ),
    (
        "sort",
        Row("""
        -o|--output=w --compress-program=x -T|--temporary-directory= -k|--key= -t|--field-separator=
        -S|--buffer-size= --parallel= --batch-size= --files0-from=r --sort=
        --random-source=r -n -r -u -h -V -f -b -g -c -C -z -s
    """),
    ),
    (
        "uniq",
        Row(
            """
        -f|--skip-fields= -s|--skip-chars= -w|--check-chars= --group? --all-repeated? -c -d -u -i -D
        -z
    """,
            operands="rw",
        ),
    ),
    (
        """
        tr seq factor expr basename dirname numfmt echo sleep cal ncal bc units
    """,
        Row("", operands="-"),
    ),
    (
        "shuf",
        Row("""
        -o|--output=w -i|--input-range= -n|--head-count= --random-source=r -e|--echo!- -r -z
    """),
    ),
    ("printf", Row("-v=x", operands="-")),
    ("tsort ptx look", Row("")),
    ("cmp", Row("-i= -n= -l -s -b")),
    (
        "diff diff3 sdiff colordiff wdiff",
        Row("""
        -o|--output=w --diff-program=x -U|--unified? -C|--context? -x|--exclude= -X|--exclude-from=r
        -I|--ignore-matching-lines= -L|--label= -W|--width= --from-file=r --to-file=r
        --color? --horizon-lines= -r|--recursive!R -u -q -s -y -w -b -B -i -N -a -t
    """),
    ),
    (
        "ls dir vdir tree exa eza lsd",
        Row(
            """
        -I|--ignore= -w|--width= -T|--tabsize= -o|--output=w -L|--level= -P= --color? --sort=
        --time= --format= --time-style= --block-size= --hide= --indicator-style=
        --filelimit= --charset= -H=
    """,
            operands="m",
        ),
    ),
    ("stat", Row("-c|--format= --printf= -f -L -t", operands="m")),
    (
        "file",
        Row(
            """
        -f|--files-from=r -m|--magic-file=r -F|--separator= -P= -e= -C|--compile!w -b -i -z -L
    """,
            operands="m",
        ),
    ),
    (
        "du df",
        Row(
            """
        -d|--max-depth= -B|--block-size= -t|--type= -x|--exclude-type= --exclude=
        -X|--exclude-from=r --threshold= --time? --files0-from=r --output? -h -s -a -c -k -m
        -T -i
    """,
            operands="m",
        ),
    ),
    (
        """
        readlink realpath test pathchk namei getfacl lsattr
    """,
        Row(
            """
        --relative-to= --relative-base= -v|--variable!x -f -e -m -s -z -q
    """,
            operands="m",
        ),
    ),
    (
        "less more most bat batcat ",
        Row("""
        -o|--log-file=w -O|--LOG-FILE=w -k|--lesskey-file=x -p|--pattern= -t|--tag= -T|--tag-file=r
        -b= -h= -j= -x= -y= -z= --pager=x -l|--language= --theme= --style= -r= -H=
        --line-range=
    """),
    ),
    ("jq gojq", _filter(_JQ)),
    ("yq", _filter(_YQ)),
    ("xq tomlq", _filter(Row("-i|--in-place!W -f|--from-file=r", operands="-r"))),
    (
        "xmllint",
        Row(
            """
        -o|--output=w --output=w --xpath= --schema=r --dtdvalid=r --relaxng=r --pattern= --encode=
        --noout --format
    """,
            single=True,
        ),
    ),
    (
        """
        csvcut csvgrep csvlook csvstat csvsort csvjson
    """,
        Row("-c= -m= -r= -f= -I!W -d= -q=", operands="r"),
    ),
    ("zcat bzcat xzcat zless zmore lzcat zstdcat zcmp zdiff", Row("")),
    ("base64 base32 basenc", Row("-w|--wrap= -o|--output=w -i|--input=r -d -D")),
    ("xxd", Row("-c= -g= -l= -s= -n= -r|--revert -p", operands="rw")),
    ("iconv", Row("-f|--from-code= -t|--to-code= -o|--output=w -c -l -s")),
    (
        "nm objdump readelf size c++filt addr2line",
        Row("-j= -M= -e=r -D -d -h -t -a -C -S -x -s -f"),
    ),
    (
        "cloc tokei scc ",
        Row(
            """
        --out|--report-file=w --output-file=w --config=x --extract-with=x --diff= --by-file --json
    """,
            single=False,
        ),
    ),
    (
        "shellcheck yamllint jsonlint hadolint     codespell typos vale",
        Row("""
        -s|--shell= -e|--exclude= -f|--format= -S|--severity= -d= -c|--config=r -i!W -w!W --fix!W
        --write-changes!W -x
    """),
    ),
    ("pwgen uuidgen uuid cowsay figlet banner lolcat", Row("", operands="-")),
    (
        "tldr man apropos",
        Row(
            """
        -P|--pager=x -H|--html=x -C|--config-file=x -M= -m= -k -f -l!r --browser=x
    """,
            operands="-",
        ),
    ),
    ("pdfinfo exiftool ffprobe mediainfo", Row("", operands="r", strict=True)),
    ("pdftotext", Row("-f= -l= -layout", operands="rw", single=True)),
    ("true false clear tput tabs", Row("", operands="-")),
)
