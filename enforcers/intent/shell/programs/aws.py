"""`aws` and `gsutil`: services, operations, and copies between files and buckets."""

from __future__ import annotations

import re

from enforcers.intent.model import Extent, Flow, Resource, ResourceType, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    READ_ONLY,
    UNKNOWN,
    Call,
    Reading,
    thing,
    union,
)
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.programs.cloud_verbs import cloud_verb, effect
from enforcers.intent.shell.tables import Table, act

_AWS = """
        --region= --profile= --output= --query= --endpoint-url=h --ca-bundle=r --cli-read-timeout=
        --cli-connect-timeout= --color= --cli-binary-format= --cli-input-json=
        --cli-input-yaml= --debug --no-verify-ssl --no-paginate --no-sign-request
        --no-cli-pager --no-cli-auto-prompt --cli-auto-prompt --version --with-decryption
        --include-planned-deletion --recursive --delete --dryrun --dry-run
        --generate-cli-skeleton? --acl= --policy= --website-redirect= --quiet
    """


_SERVICES_SECRET = frozenset(
    {
        ("ssm", "get-parameter"),
        ("ssm", "get-parameters"),
        ("ssm", "get-parameters-by-path"),
        ("ssm", "get-parameter-history"),
        ("lambda", "get-function"),
        ("ec2", "get-console-output"),
    }
)


_OUTFILE = frozenset(
    {
        ("s3api", "get-object"),
        ("s3api", "select-object-content"),
        ("lambda", "invoke"),
        ("glacier", "get-job-output"),
        ("s3api", "get-object-torrent"),
        ("apigateway", "get-export"),
        ("apigateway", "get-sdk"),
        ("iot-data", "get-thing-shadow"),
        ("kinesis-video-media", "get-media"),
    }
)


def _aws(call: Call) -> Reading:
    """`aws service operation …`."""
    options = read_options(call.args, _AWS)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    found += [call.file("r", part) for arg in call.args for part in _file_arguments(arg)]
    words = options.operands
    if len(words) < 2:
        return union(found) + Reading(
            tags=(READ_ONLY,) if options.has("version") or words == ("help",) else (UNKNOWN,)
        )
    service, operation = words[0], words[1]
    if service == "s3":
        return union(found) + s3(call, operation, words[2:], options)
    if service in ("configure", "sso", "login"):
        return union(found) + _aws_local(service, words)
    kind = _aws_kind(service, operation, options)
    if options.has("dry-run") or words[2:] == ("help",):
        kind = "read"  # the service checks the request and does nothing
    if (service, operation) in _OUTFILE and words[2:]:
        found.append(call.file("w", words[-1]))
    return union(found) + effect(kind, f"aws {service} {operation}")


def _aws_kind(service: str, operation: str, options: Options) -> str:
    """The class of one operation of one service."""
    if operation == "wait" or options.has("generate-cli-skeleton") or operation == "help":
        return "read"
    if (service, operation) in _SERVICES_SECRET and (
        service != "ssm" or options.has("with-decryption")
    ):
        return "secret"
    return cloud_verb(operation)


def _file_arguments(arg: str) -> list[str]:
    """Files that an argument reads: `file://x`, `fileb://x`, also after `name=`."""
    return [match[1] for match in re.finditer(r"\bfileb?://([^\s,}]+)", arg)]


def _aws_local(service: str, words: tuple[str, ...]) -> Reading:
    """`aws configure …`: settings and credentials of this machine."""
    if service == "configure" and words[1] in ("list", "list-profiles", "get"):
        secret = any("secret" in word or "token" in word or "key" in word for word in words[2:])
        return effect("secret" if secret else "read", " ".join(("aws", *words)))
    kind = "secret" if words[1] == "export-credentials" else "alter"
    return effect(kind, " ".join(("aws", *words[:2])))


def s3(call: Call, operation: str, words: tuple[str, ...], options: Options) -> Reading:
    """`aws s3 …`: copies between files and buckets."""
    if operation in ("ls", "help") or options.has("dryrun") or words == ("help",):
        return effect("read", f"s3 {' '.join(words)}".strip())
    if operation in ("rm", "rb"):
        return effect("delete", " ".join(words))
    if operation not in ("cp", "mv", "sync") or len(words) < 2:
        return effect(
            "create" if operation == "mb" else "grant", f"s3 {operation} {' '.join(words)}"
        )
    source, target = words[0], words[1]
    found = [
        call.file("R", source) if not _bucket(source) else thing(Verb.READ, source),
        call.file("w", target) if not _bucket(target) else thing(Verb.EXPORT, target),
    ]
    if operation == "mv" or options.has("delete"):
        lost = source if operation == "mv" else target
        found.append(thing(Verb.DELETE, lost, Extent.WHOLE))
    if options.has("acl"):
        found.append(thing(Verb.GRANT, target, Extent.WHOLE))
    return union([*found, _sent(found[0], target)]).tagged(DESCRIBED)


def _sent(source: Reading, target: str) -> Reading:
    """The flow into a bucket."""
    if not _bucket(target):
        return Reading()
    sink = Resource(
        ResourceType.HOST,
        target.split("/")[2] if target.count("/") > 1 else target,
        "s3",
        ("bucket",),
    )
    return Reading(flows=tuple(Flow(effect.resource, sink) for effect in source.effects))


def _bucket(name: str) -> bool:
    return name.startswith(("s3://", "gs://"))


def _gsutil(call: Call) -> Reading:
    """`gsutil`: like `aws s3`."""
    options = read_options(call.args, "-h= -o=x -m -q -D -u= -i=g -r -R -d -n -z=")
    words = options.operands
    if not words or options.has("o", "i"):
        return Reading(tags=(UNKNOWN,))
    if words[0] in ("rsync", "cp", "mv"):
        found = s3(call, {"rsync": "sync"}.get(words[0], words[0]), words[1:], options)
        return found + (
            thing(Verb.DELETE, words[-1], Extent.WHOLE) if options.has("d") else Reading()
        )
    if words[0] in ("ls", "cat", "stat", "du", "hash", "version", "help"):
        return effect("read", " ".join(("gsutil", *words)))
    return effect("delete" if words[0] in ("rm", "rb") else "grant", " ".join(("gsutil", *words)))


PROGRAMS: Table = (
    ("aws awslocal", _aws),
    ("gsutil", _gsutil),
)
