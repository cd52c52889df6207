"""
Tools of infrastructure with subcommands: charts, stacks, playbooks, secret stores, continuous
delivery.
"""

from __future__ import annotations

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import READ_ONLY, Call, Reading, thing, unclear, union
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, Tool

_KUBE = """
        -n|--namespace= --kube-context|--context= --kubeconfig=x --kube-apiserver=h --kube-as-user=x
        -f|--values=r --set= --version= -o|--output= --server=h --repo=h
    """


def _ansible(call: Call) -> Reading:
    """
    `ansible`, `ansible-playbook`: listing is a read, a check is one too; all else runs what is
    not read.
    """
    shows = {"--list-hosts", "--list-tasks", "--list-tags", "--syntax-check", "--version"} & set(
        call.args
    )
    files = [arg for arg in call.args if arg.endswith((".yml", ".yaml", ".ini"))]
    written = read_options(call.args, "--output=w").values("output")
    found = union(
        [call.file("r", name) for name in files] + [call.file("w", name) for name in written]
    )
    if shows or call.name in ("ansible-doc", "ansible-lint", "ansible-inventory"):
        return found.tagged(READ_ONLY)
    return (
        found
        + thing(Verb.ALTER, " ".join((call.name, *call.args))[:200], Extent.WHOLE)
        + unclear(Code.UNREAD_INPUT)
    )


def _packer(call: Call) -> Reading:
    """`vault read` and its kin: secrets."""
    words = read_options(
        call.args,
        """
        -address=h -namespace= -format= -field= -mount= -ca-cert=r
    """,
        single=True,
    ).operands
    if words[:1] in (("status",), ("version",)) or words[:2] in (
        ("secrets", "list"),
        ("auth", "list"),
        ("policy", "list"),
        ("policy", "read"),
        ("audit", "list"),
    ):
        return Reading(tags=(READ_ONLY,))
    if words[:1] in (("read",), ("list",), ("unwrap",), ("print",)) or words[:2] in (
        ("kv", "get"),
        ("kv", "list"),
        ("token", "lookup"),
        ("kv", "metadata"),
    ):
        return thing(Verb.READ, " ".join((call.name, *words)), tags=("secret",)).tagged(READ_ONLY)
    lost = {
        "delete",
        "disable",
        "destroy",
        "revoke",
        "seal",
        "step-down",
        "undelete",
        "rollback",
    } & set(words[:2])
    verb = Verb.DELETE if lost else Verb.GRANT
    return thing(verb, " ".join((call.name, *words)), Extent.WHOLE).tagged("described")


PROGRAMS: Table = (
    (
        "helm helm3",
        Tool(
            _KUBE + " --post-renderer=x --output-dir=w",
            dry="--dry-run",
            read="""
        list; ls; status; history; get; get manifest; get notes; get all; get hooks; get metadata;
        show; show values; show chart; show all; search; search repo; search hub; template;
        lint; version; env; repo list; plugin list; dependency list; verify; help; diff;
        inspect; diff upgrade
    """,
            secret="get values",
            delete="""
        uninstall; delete; un; rollback; repo remove; plugin uninstall; test
    """,
            alter="upgrade",
            create="install",
            install="""
        dependency update; dependency build; repo add; repo update; pull; fetch; plugin install;
        plugin update; registry login
    """,
            build="package; create",
            export="push",
        ),
    ),
    (
        "openssl",
        Tool(
            """
        -in=r -out=w -engine=x -provider=x -provider-path=x -config=x -inkey=r -key=r -CAfile=r
        -CA=r -CAkey=r -signkey=r -passin= -passout= -inform= -outform= -rand=r -writerand=w
        -subj= -days=
    """,
            read="""
        version; x509; list; help; ciphers; dgst; verify; crl; asn1parse; rand; sha256; md5; errstr;
        speed; prime; crl2pkcs7; req; rsa; pkey; ec
    """,
            single=True,
        ),
    ),
    (
        """
        helmfile argocd argo flux kustomize istioctl linkerd cilium velero tkn skaffold tilt
        crossplane kubeseal cmctl karmadactl clusterctl kubeadm k9s k3s rancher kops stern
        kubectx kubens
    """,
        Tool(
            _KUBE,
            read="""
        list; status; diff; template; build; lint; app get; app list; app diff; app history; app
        logs; cluster list; project list; repo list; version; get; logs; get all; check;
        stats; tree; events; trace; proxy-status; analyze; validate; backup get; backup
        describe; restore get; schedule get; describe; taskrun list; pipelinerun list;
        pipelinerun logs; taskrun logs; pipeline list; get sources; get kustomizations; get
        helmreleases; config images list; cfg; account get-user-info; proj list; proj get;
        render; explain; config view; inspect; app manifests; app resources
    """,
            delete="""
        destroy; delete; uninstall; app delete; cluster rm; repo rm; project delete; remove; reset;
        app rollback; backup delete; restore delete; suspend; terminate; stop; app
        terminate-op; proj delete
    """,
            alter="""
        apply; sync; app sync; app set; app patch; upgrade; reconcile; resume; deploy; app create;
        backup create; restore create; submit; retry; edit; set; create; install; bootstrap;
        init; run; dev; up; export
    """,
            secret="""
        account generate-token; app manifests-live; token create
    """,
        ),
    ),
    (
        "pulumi",
        Tool(
            """
        -s|--stack= -C|--cwd=m --config-file=r -c|--config= -p= -m= -t= -y --yes
        --config-passphrase-file=r --show-secrets!s
    """,
            read="""
        preview; version; whoami; about; stack ls; stack; stack graph; plugin ls; logs; config;
        config get; org get-default; stack history; stack tag ls; stack output; schema
        check; policy ls; state
    """,
            secret="""
        stack export
    """,
            delete="""
        destroy; stack rm; down; state delete; cancel; state unprotect; state rename; logout; plugin
        rm; config rm
    """,
            alter="""
        up; update; refresh; import; stack import; config set; stack select; stack init; watch;
        stack rename; new; policy enable; stack tag set; config cp; convert; env
    """,
            install="install; plugin install",
            grant="login",
        ),
    ),
    (
        "terragrunt",
        Tool(
            """
        --working-dir=m --terragrunt-working-dir=m --terragrunt-config=r -out=w
    """,
            read="""
        plan; validate; show; output; graph-dependencies; version; providers; state
        list; run-all plan; run-all validate; run-all output; hclvalidate; render-json;
        validate-inputs; graph; dag graph; info print; find; list
    """,
            secret="""
        state pull; state show; run-all show
    """,
            delete="""
        destroy; run-all destroy; state rm; destroy-all; apply-all; run-all apply
    """,
            alter="""
        apply; import; taint; untaint; state mv; state push; refresh; init; run-all init; hclfmt;
        fmt; workspace
    """,
            run="run; exec; stack run; console",
        ),
    ),
    (
        "packer",
        Tool(
            "-var= -var-file=r -only= -except=",
            read="""
        validate; inspect; version; plugins installed; fix
    """,
            build="build",
            install="init; plugins install; plugins required",
            write="fmt",
            delete="plugins remove",
            single=True,
        ),
    ),
    (
        """
        ansible ansible-playbook ansible-console ansible-pull ansible-galaxy ansible-doc
        ansible-lint ansible-inventory ansible-config salt salt-call salt-ssh chef-client
        knife puppet fab cap
    """,
        _ansible,
    ),
    ("vault bao", _packer),
    (
        "consul nomad",
        Tool(
            """
        -http-addr=h -address=h -token= -region= -namespace=
    """,
            read="""
        members; kv get; catalog services; catalog nodes; info; status; version; job status; node
        status; operator raft list-peers; alloc status; alloc logs; validate; job validate;
        job plan; plan; server members; deployment status; deployment list; eval status;
        namespace list; catalog datacenters; monitor; ui
    """,
            delete="""
        kv delete; leave; force-leave; job stop; stop; node drain; job purge; system gc; operator
        raft remove-peer; services deregister; acl token delete; snapshot restore; alloc
        stop; deployment fail; namespace delete
    """,
            alter="""
        kv put; job run; run; job scale; services register; reload; maint; job revert; job dispatch;
        intention create; config write; node eligibility; alloc restart; kv import;
        deployment promote
    """,
            secret="""
        kv export; snapshot save; acl token read; keygen; var get
    """,
            grant="""
        acl token create; acl bootstrap; acl policy create; acl
    """,
            run="exec; lock; watch; alloc exec; event; debug; connect; agent; job init",
            single=True,
        ),
    ),
    (
        """
        circleci buildkite-agent act drone woodpecker-cli jenkins-cli gitlab-runner
    """,
        Tool(
            read="""
        config validate; version; info; build ls; build info; build logs; log view; list; verify;
        status; config process; diagnostic
    """,
            run="local execute; run; exec; step; pipeline; meta-data; artifact; annotate",
        ),
    ),
    (
        """
        trivy grype syft checkov tfsec tflint kubeconform kubeval kube-score kube-linter conftest
        opa semgrep snyk gitleaks trufflehog detect-secrets infracost terraform-docs
        terrascan cosign promtool amtool logcli
    """,
        Tool(
            """
        -o|--output=w -f= -s= -c|--config=r --report-path=w --config-data= --policy= --ruleset= -q
        --format= --severity= --exit-code=
    """,
            read="""
        image; fs; config; repo; filesystem; scan; dir; version; test; verify; breakdown; check; inspect; detect;
        protect; parse; eval; lint; check config; check rules;
        query; alert; markdown; table; labels; series; tree; triangulate
    """,
            build="run; build",
            bare="read",
            run="""
        exec; plugin; login; ci; auth; monitor; serve; server
    """,
            grant="""
        sign; attest; generate-key-pair; silence add; upload
    """,
        ),
    ),
)
