"""What the name of an operation of a cloud says: one set of verbs for all clouds."""

from __future__ import annotations

import re

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    READ_ONLY,
    Reading,
    thing,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names

_READS = names("""
        describe get list ls search lookup query scan filter select detect view preview estimate
        validate check tail wait help head count discover retrieve predict simulate identity
        whoami info show
    """)


DELETES = names("""
        delete rm rb remove terminate deregister destroy purge cancel disable detach release reset
        stop abort deprovision disassociate empty schedule-key-deletion reject shutdown
        decommission kill drop unassign unsubscribe suspend deactivate forget retire
        undeploy clear erase wipe failover force leave evict revoke untag
    """)


GRANTS = re.compile(
    r"policy|polic|permission|access-key|login-profile|role|-acl|grant|authorize|assume|bindings?|user-to-group|credential"
    r"|sign|public-access|iam|share|principal|federation|-ssh-public-key|attribute$"
)


CREATES = names("""
        create run register allocate import copy request clone new add mb upload
    """)


_SECRETS = re.compile(
    r"get-secret-value|get-random-password|decrypt|generate-data-key|assume-role|get-session-token|get-federation-token|create-access-key|export-credentials"
    r"|get-login|get-token|get-password-data|get-role-credentials|generate-db-auth-token|get-authorization-token|get-credentials-for|get-cluster-credentials"
    r"|get-api-keys?$|get-relational-database-master|get-instance-access-details|create-service-specific|get-key-pair-secret|download-default-key-pair"
    r"|get-bucket-access-keys|batch-get-secret|get-connection-token|get-private-key|export-certificate|get-credential-report|reset-service-specific"
    r"|get-data-key|download-db-log|get-download-url"
)


_RUNS = names("""
        send-command start-session execute-command invoke run-job resume-session send-ssh-public-key
        start-execution execute-statement execute-sql batch-execute-statement
        execute-change-set invoke-async run-command test-invoke-method start-build
    """)


def cloud_verb(operation: str) -> str:
    """The class of an operation by its first word; a batch is what it does to each."""
    words = operation.removeprefix("batch-").removeprefix("admin-").split("-")
    head = words[0]
    if operation in _RUNS:
        return "run"
    if _SECRETS.search(operation):
        return "secret"
    if head in _READS:
        return "read"
    if head in DELETES or operation in DELETES:
        return "delete"
    if GRANTS.search(operation):
        return "grant"
    return "create" if head in CREATES else "alter"


_EFFECTS = {
    "read": (Verb.READ, Extent.KEY_BOUND),
    "secret": (Verb.READ, Extent.KEY_BOUND),
    "delete": (Verb.DELETE, Extent.WHOLE),
    "grant": (Verb.GRANT, Extent.WHOLE),
    "create": (Verb.CREATE, Extent.KEY_BOUND),
    "alter": (Verb.ALTER, Extent.UNPROVEN),
    "run": (Verb.EXECUTE, Extent.NONE),
}


def effect(kind: str, subject: str) -> Reading:
    """The effect of one class on `subject`."""
    verb, extent = _EFFECTS[kind]
    found = thing(verb, subject, extent, ("secret",) if kind == "secret" else ())
    if kind == "run":
        found += Reading(opaque=(Code.HIDDEN_COMMAND,))
    return found.tagged(READ_ONLY if kind in ("read", "secret") else DESCRIBED)


MUTATES = CREATES | names("""
        update set deploy apply start restart resize patch edit modify attach enable move promote
        rollback scale migrate activate login configure config export restore undelete
        submit replace rename cp mv sync rsync signurl assign lock use append tag publish
        upgrade install init test
    """)
