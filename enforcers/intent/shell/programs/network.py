"""Programs that talk to hosts: downloads, uploads, look-ups."""

from __future__ import annotations

from enforcers.intent.model import Resource, Verb
from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    Call,
    Reading,
    connect,
    transfer,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Row, Table

# u: a file's content is sent · b: a body that may be a file after `@` · l: code, or hosts that are
# set another way.
_CURL = """
        -o|--output=w -O|--remote-name --remote-name-all --output-dir= -D|--dump-header=w
        -c|--cookie-jar=w --trace=w --trace-ascii=w --stderr=w --etag-save=w --hsts=w
        --libcurl=w -d|--data=b --data-ascii=b --data-binary=b --data-raw=B
        --data-urlencode=b --json=b --url-query=b -F|--form=b --form-string=B
        -T|--upload-file=u -K|--config=l -b|--cookie=c -E|--cert=r --key=r --cacert=r
        --capath= --netrc-file=r -n|--netrc!n --netrc-optional!n -x|--proxy=h --preproxy=h
        --socks4=h --socks5=h --socks5-hostname=h --socks4a=h --proxy1.0=h --doh-url=h
        -X|--request= -H|--header=b --proxy-header=b -A|--user-agent= -e|--referer=
        -u|--user= -U|--proxy-user= -m|--max-time= --connect-timeout= --retry=
        --retry-delay= --retry-max-time= -r|--range= -w|--write-out=f --resolve=l
        --connect-to=l --unix-socket=l --abstract-unix-socket=l --interface= -y= -Y=
        -z|--time-cond= -C|--continue-at= --limit-rate= --max-filesize= --max-redirs=
        --url=p -Q|--quote=l -t|--telnet-option= --ciphers= --tls-max= --cert-type=
        --key-type= --pass= --pinnedpubkey= --dns-servers=l --oauth2-bearer= --aws-sigv4=
        --engine=l --expect100-timeout= --keepalive-time= --local-port= --mail-from=
        --mail-rcpt= --noproxy= --proto= --proto-default= --proto-redir= --rate=
        --parallel-max= --variable=l --expand-data=l -s|--silent -S|--show-error
        -L|--location -f|--fail -k|--insecure -v|--verbose -i|--include -I|--head -G|--get
        -g|--globoff -q -N|--no-buffer -4 -6 -0 -1 -2 -3 -a -B -j -J -l -M -p -R -Z
        -#|--progress-bar --compressed --location-trusted!n --http1.1 --http2
        --fail-with-body --create-dirs --path-as-is --tlsv1.2 --tlsv1.3 --no-progress-meter
        --parallel --ssl-reqd
    """
_WGET = """
        -O|--output-document=w -P|--directory-prefix=w -o|--output-file=w -a|--append-output=w
        -i|--input-file=l --post-data=B --post-file=u --body-data=B --body-file=u --method=
        --header=B -U|--user-agent= --referer= -e|--execute=l --config=l --use-askpass=l
        -T|--timeout= -t|--tries= -w|--wait= -Q|--quota= -l|--level= -A|--accept=
        -R|--reject= -D|--domains= -I= -X= --load-cookies=r --save-cookies=w --certificate=r
        --private-key=r --ca-certificate=r --user= --password= --limit-rate= --dns-timeout=
        --connect-timeout= --read-timeout= --bind-address= --warc-file=w --rejected-log=w
        -B|--base= -q|--quiet -c|--continue -N -r|--recursive -p -k -m -nc -nv -nd -np -nH
        -S -E -H -K -L -x -b -v -d --spider --no-check-certificate --content-disposition
        --show-progress
    """


def _curl(call: Call) -> Reading:
    """`curl`."""
    return _client(call, read_options(call.args, _CURL), saves=("remote-name", "remote-name-all"))


def _wget(call: Call) -> Reading:
    """`wget`: writes into the directory unless it is told a file."""
    options = read_options(call.args, _WGET)
    reading = _client(call, options, saves=())
    if options.has("output-document", "spider", "directory-prefix"):
        return reading
    return reading + transfer(call.file("w", "."), _only_hosts(reading), upload=False)


def _client(call: Call, options: Options, saves: tuple[str, ...]) -> Reading:
    """What an HTTP client does by its options."""
    urls = (*options.operands, *options.values("url"))
    target = union([connect(_host(url)) for url in urls])
    proxies = union([connect(hosts.from_url(o.value)) for o in options.given if o.action == "h"])
    written = [call.file("w", o.value) for o in options.given if o.action == "w"]
    if options.has(*saves) if saves else False:
        written.append(call.file("w", (options.values("output-dir") or (".",))[0]))
    down = transfer(union(written), target, upload=False)
    up = transfer(_sent(call, options), target, upload=True) if _uploads(options) else Reading()
    odd = [
        o for o in options.given if o.action == "l" or (o.action == "f" and "%output" in o.value)
    ]
    opaque = (Code.CONFIGURED_COMMAND,) if odd else ()
    local = [call.file("r", url[7:]) for url in urls if url.lower().startswith("file://")]
    return union([down, up, proxies, _kept(call, options), *local, Reading(opaque=opaque)]).tagged(
        DESCRIBED
    )


def _host(url: str) -> Resource | None:
    """The host of `url`; a pattern in it is more than one host."""
    return None if set(url) & set("{}[]") and not url.startswith("[") else hosts.from_url(url)


def _only_hosts(reading: Reading) -> Reading:
    """The connections of `reading`."""
    return Reading(tuple(e for e in reading.effects if e.verb is Verb.CONNECT))


def _uploads(options: Options) -> bool:
    """Whether the request carries a body or is no plain GET."""
    methods = [value.upper() for value in options.values("request", "method")]
    return (
        any(
            o.action in ("b", "B", "u", "c", "n") and o.name not in ("header", "proxy-header")
            for o in options.given
        )
        or any(method not in ("GET", "HEAD", "OPTIONS") for method in methods)
        or any(
            o.name in ("header", "proxy-header") and o.value.startswith("@") for o in options.given
        )
    )


def _sent(call: Call, options: Options) -> Reading:
    """The files whose content is sent."""
    found = []
    for option in options.given:
        if option.action == "u" and option.value != ".":
            found.append(call.file("r", option.value))
        elif option.action == "b":
            found += [call.file("r", path) for path in _files_in(option.value)]
        elif option.action == "c" and "=" not in option.value:
            found.append(call.file("r", option.value))
        elif option.action == "n":
            found.append(call.file("r", "~/.netrc"))
    return union(found)


def _files_in(body: str) -> list[str]:
    """The files that a body names: `@file`, `name=@file`, `name=<file;type=…`."""
    if body.startswith(("@", "<")):
        return [body[1:]]
    _, sign, value = body.partition("=")
    if not sign and "@" in body:
        return [body.partition("@")[2]]
    return [value[1:].partition(";")[0]] if value[:1] in ("@", "<") else []


def _kept(call: Call, options: Options) -> Reading:
    """Files that are only read: keys and certificates."""
    return union([call.file("r", o.value) for o in options.given if o.action == "r"])


def _http(call: Call) -> Reading:
    """`http`, `xh`: a method and a URL; other operands are fields or a body."""
    options = read_options(
        call.args,
        """
        -o|--output=w -d|--download -a|--auth= -A= --proxy=h --session= -b -h -v -f -j -p=
        --verify=r --cert=r --cert-key=r --timeout= --pretty= --style= -F
    """,
    )
    words = list(options.operands)
    method = words.pop(0).upper() if words and words[0].isupper() and words[0].isalpha() else ""
    target = connect(hosts.from_url(words[0])) if words else Reading()
    fields = [word for word in words[1:] if "==" not in word]
    files = union([call.file("r", word.partition("@")[2]) for word in fields if "@" in word])
    writes = union([call.file("w", o.value) for o in options.given if o.action == "w"])
    proxies = union([connect(hosts.from_url(o.value)) for o in options.given if o.action == "h"])
    sends = bool(fields) or method not in ("", "GET", "HEAD", "OPTIONS") or call.piped
    moved = transfer(files, target, upload=True) if sends else target
    return (moved + writes + proxies).tagged(DESCRIBED)


def _lookup(call: Call) -> Reading:
    """`dig`, `ping` …: a name may carry data out, so each operand is a host."""
    table = """
        -c= -i= -W= -w= -s= -t= -p= -f=x -b= -k=x -y= -q= -I= -m= -4 -6 -n -x= -T -U -v -l= -Q= -M=
        -S= -A -F= -h=
    """
    options = read_options(call.args, table)
    asked = [name.removeprefix("@") for name in options.operands if not name.startswith("+")]
    asked += options.values("x")
    types = names("A AAAA MX TXT NS SOA CNAME SRV PTR ANY CAA IN")
    odd = any(option.action == "x" for option in options.given)
    found = [connect(hosts.from_url(name)) for name in asked if name.upper() not in types]
    return union(found).tagged(DESCRIBED) if not odd else unclear(Code.UNREAD_INPUT)


def _opaque(call: Call) -> Reading:
    """A program that listens, tunnels, scans or sends: nothing of it is harmless."""
    found = [
        connect(host) for host in map(hosts.from_url, call.args[-1:]) if host and "." in host.name
    ]
    return union(found) + unclear(Code.UNREAD_INPUT)


PROGRAMS: Table = (
    ("curl curlie", _curl),
    ("wget wget2", _wget),
    ("http https xh xhs", _http),
    (
        """
        dig nslookup host ping ping6 traceroute traceroute6 tracepath mtr drill kdig delv whois
        arping
    """,
        _lookup,
    ),
    (
        """
        aria2c axel lftp ftp tftp ncftp ncftpput telnet nmap masscan zmap hping3 ngrok cloudflared
        tailscale frpc chisel bore localtunnel lt serveo iodine dnscat stunnel ssserver wg
        wg-quick openvpn mail mailx sendmail msmtp swaks mutt s-nail wormhole croc
        magic-wormhole ffsend transfer rclone restic borg duplicity s3cmd s5cmd azcopy
        webhook websocat wscat grpcurl hydra john hashcat sqlmap nikto gobuster tor
        youtube-dl yt-dlp httpd php-fpm caddy nginx apache2 lighttpd apachectl smbclient
        rpcclient mount.nfs ldapsearch ldapmodify snmpget snmpwalk iperf iperf3
    """,
        _opaque,
    ),
    (
        "hey ab wrk siege vegeta",
        Row("-n= -c= -d= -t= -m= -H=", operands="h", tag=DESCRIBED, strict=True),
    ),
)
