"""
The bytes of records, written by hand: a hundred thousand a second, which models cannot do.

    facts ──f-string──▶ the JSON that `enforcers.contract.wire.encode` would write, field for field

INVARIANT: every text that goes into a record is plain ASCII without quotes and backslashes, or went through
`quoted`. A test decodes each kind with the contract and encodes it again to the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime

_MINUTES: dict[int, str] = {}
_MINUTE_US = 60_000_000


def moment(at: int) -> str:
    """Microseconds since the epoch as records write them."""
    minute, rest = divmod(at, _MINUTE_US)
    text = _MINUTES.get(minute)
    if text is None:
        if len(_MINUTES) > 100_000:
            _MINUTES.clear()
        begun = datetime.fromtimestamp(minute * 60, UTC)
        text = _MINUTES[minute] = begun.isoformat()[:17]
    return f"{text}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}Z"


def identity(at: int, chance: str) -> str:
    """A UUID of version 7 from a time and 18 hexadecimal digits."""
    head = f"{at // 1_000:012x}"
    return f"{head[:8]}-{head[8:]}-7{chance[:3]}-8{chance[3:6]}-{chance[6:18]}"


def quoted(text: str | None) -> str:
    """A JSON string, or null."""
    return "null" if text is None else json.dumps(text, ensure_ascii=False)


def listed(texts: Collection[str]) -> str:
    """A JSON list of strings."""
    return "[" + ",".join([quoted(text) for text in texts]) + "]" if texts else "[]"


def flag(value: bool) -> str:
    """A JSON boolean."""
    return "true" if value else "false"


def principal(name: str, kind: str, behalf: str | None, session: str | None) -> str:
    """Who proposes."""
    return (
        f'{{"id":"{name}","kind":"{kind}","on_behalf_of":{quoted(behalf)},'
        f'"session":{quoted(session)}}}'
    )


def target(system: str, environment: str, catalog: str | None, dialect: str | None) -> str:
    """Where it would run."""
    return (
        f'{{"system":"{system}","environment":"{environment}","catalog":{quoted(catalog)},'
        f'"dialect":{quoted(dialect)}}}'
    )


def effect(verb: str, kind: str, name: str, extent: str, namespace: str = "") -> str:
    """One effect of an intent."""
    return (
        f'{{"verb":"{verb}","type":"{kind}","name":"{name}","extent":"{extent}",'
        f'"namespace":"{namespace}"}}'
    )


def reason(code: str, message: str, rule: str | None, remedy: str) -> str:
    """One reason of a verdict."""
    return (
        f'{{"code":"{code}","message":{quoted(message)},"rule":{quoted(rule)},"span":null,'
        f'"remedy":{quoted(remedy)}}}'
    )


def issue(version: int, by: str, at: str, why: str) -> str:
    """Who laid something down, when and why."""
    return f'{{"version":{version},"by":"{by}","at":"{at}","reason":{quoted(why)}}}'


def approval_request(
    name: str,
    judge: str,
    action: str,
    digest: str,
    proposal: str,
    policy: str,
    asked: str,
    owner: str | None,
    executor: str,
    rest: str,
    asks: str,
    at: str,
    expires: str,
) -> str:
    """What people are asked; `rest` is target to ticket, `asked` the principal."""
    return (
        f'{{"id":"{name}","kind":"approval","judge":"{judge}","action_id":"{action}",'
        f'"action_digest":"{digest}","proposal_digest":"{proposal}","policy":"{policy}",'
        f'"principal":{asked},"owner":{quoted(owner)},"executor":"{executor}",{rest},'
        f'"asks":[{asks}],"at":"{at}","expires_at":"{expires}"}}'
    )


def ask(rule: str, message: str, groups: Collection[str], count: int) -> str:
    """What one rule wants."""
    return (
        f'{{"rule":"{rule}","message":{quoted(message)},"groups":{listed(groups)},'
        f'"count":{count},"all_groups":false}}'
    )


def vote(
    name: str,
    issued: str,
    request: str,
    proposal: str,
    policy: str,
    requester: str,
    choice: str,
    expires: str,
    break_glass: bool,
) -> str:
    """One person's word."""
    return (
        f'{{"id":"{name}","issue":{issued},"request":"{request}","proposal_digest":"{proposal}",'
        f'"policy":"{policy}","requester":"{requester}","choice":"{choice}",'
        f'"expires_at":"{expires}","break_glass":{flag(break_glass)}}}'
    )


def scope(verbs: Collection[str], resources: Collection[str], environments: Collection[str]) -> str:
    """What a grant covers."""
    return (
        f'{{"verbs":{listed(verbs)},"resources":{listed(resources)},"types":[],"systems":[],'
        f'"catalogs":[],"environments":{listed(environments)},"condition":null}}'
    )


def grant_request(
    name: str,
    executor: str,
    who: str,
    right: str,
    covers: str,
    why: str,
    ticket: str | None,
    seconds: int,
    at: str,
) -> str:
    """A principal's wish for a grant."""
    return (
        f'{{"id":"{name}","kind":"grant","executor":"{executor}","principal":"{who}",'
        f'"on_behalf_of":null,"name":"{right}","scope":{covers},"reason":{quoted(why)},'
        f'"ticket":{quoted(ticket)},"seconds":{seconds},"max_uses":null,"at":"{at}"}}'
    )


def grant(
    name: str,
    issued: str,
    its: str,
    right: str,
    who: str,
    status: str,
    covers: str,
    ticket: str | None,
    begins: str,
    ends: str,
    request: str | None,
) -> str:
    """An administrator's word about a grant."""
    return (
        f'{{"id":"{name}","issue":{issued},"grant":"{its}","name":"{right}","principal":"{who}",'
        f'"status":"{status}","scope":{covers},"ticket":{quoted(ticket)},"not_before":"{begins}",'
        f'"expires_at":"{ends}","max_uses":null,"request":{quoted(request)}}}'
    )


def control(
    name: str, issued: str, its: str, who: str, lifted: bool, expires: str | None, rule: str | None
) -> str:
    """A quarantine of one principal, or its end."""
    return (
        f'{{"id":"{name}","issue":{issued},"control":"{its}","stops":{{"principal":"{who}",'
        '"session":null,"system":null,"catalog":null,"environment":null,"everything":false},'
        f'"lifted":{flag(lifted)},"expires_at":{quoted(expires)},"rule":{quoted(rule)}}}'
    )


def enrolment(
    name: str,
    issued: str,
    who: str,
    kind: str,
    owner: str | None,
    groups: Collection[str],
    permissions: Collection[str],
    executors: Collection[str],
) -> str:
    """Who may propose."""
    return (
        f'{{"id":"{name}","issue":{issued},"principal":{{"id":"{who}","kind":"{kind}",'
        f'"owner":{quoted(owner)},"groups":{listed(groups)},"permissions":{listed(permissions)},'
        f'"executors":{listed(executors)},"scope":{{"kinds":[],"systems":[],"catalogs":[],'
        '"environments":[]},"public_keys":[],"disabled":false,"not_after":null}}'
    )


def publication(name: str, issued: str, bundle: str, digest: str, text: str) -> str:
    """A policy bundle of one file."""
    return (
        f'{{"id":"{name}","issue":{issued},"bundle":"{bundle}","digest":"{digest}",'
        f'"files":[{{"name":"policy.yaml","text":{quoted(text)}}}]}}'
    )


def finding(
    name: str, code: str, severity: str, about: str, message: str, source: str, at: str, seen: str
) -> str:
    """Something that a judge found odd."""
    return (
        f'{{"id":"{name}","code":"{code}","severity":"{severity}","about":"{about}",'
        f'"message":{quoted(message)},"remedy":"","source":"{source}","at":"{at}",'
        f'"evidence":[{seen}]}}'
    )


def history(
    name: str, who: str, judge: str, at: str, actions: int, outcomes: int, minutes: int, rows: int
) -> str:
    """What a judge counted of a principal: one slice of time."""
    return (
        f'{{"id":"{name}","principal":"{who}","judge":"{judge}","at":"{at}","actions":{actions},'
        f'"outcomes":{outcomes},"forgiven":null,"windows":[{{"session":"","slices":[{{"start":'
        f'{minutes},"actions":{actions % 97},"denials":{actions % 5},"asks":0,"writes":'
        f'{actions % 11},"exports":0,"rows":{rows},"bytes":{rows * 88},"tables":[],'
        '"more_tables":0,"resources":[],"more_resources":0,"tags":[]}]}],"uses":[],"asked":[]}'
    )
