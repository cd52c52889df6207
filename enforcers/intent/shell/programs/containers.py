"""
Containers: what runs inside one is read as a command elsewhere; a container with the host's
rights is privileged.
"""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.model import Effect, Extent, Resource, ResourceType, Verb
from enforcers.intent.shell.calls import (
    DESCRIBED,
    PRIVILEGED,
    READ_ONLY,
    WRAPPER,
    Call,
    Reading,
    thing,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Table, Tool, act, read_tool

_GLOBAL = """
        -H|--host=h -c|--context= --config=x -l|--log-level= --tlscacert=r --tlscert=r --tlskey=r -D
        --debug --tls --tlsverify -v --version --url=h --connection= --root= --identity=r
    """
_RUN = """
        -d|--detach -i|--interactive -t|--tty --rm --init --name= -e|--env= --env-file=r
        -v|--volume= --mount= -w|--workdir= -u|--user= -p|--publish= -P --network|--net=
        --pid= --ipc= --uts= --userns= --cgroupns= --privileged --cap-add= --cap-drop=
        --security-opt= --device= --entrypoint= --label= -l= -m|--memory= --cpus= --restart=
        --platform= --pull= --hostname= -h= --add-host= --dns= --link= --log-driver=
        --log-opt= --gpus= --shm-size= --tmpfs= --ulimit= --volumes-from= --group-add=
        --stop-signal= --stop-timeout= --expose= --health-cmd=x --cidfile=w --read-only
        --no-healthcheck -q --quiet -a|--attach= --runtime= --sysctl= --index=
        --detach-keys= -T --service-ports --no-deps --build
    """
_DOCKER = Tool(
    _GLOBAL
    + """
        -f|--file=r -p|--project-name= --profile= --env-file=r --format= --filter= -n= --tail=
        --since= --until= -a --all -q --no-trunc -s --driver= -t|--tag=
    """,
    read="""
        ps; images; version; info; logs; inspect; top; stats; port; diff; history; events; search;
        container ls; container list; container ps; container logs; container inspect;
        container top; container stats; container port; container diff; image ls; image
        list; image inspect; image history; network ls; network list; network inspect;
        volume ls; volume list; volume inspect; system df; system info; system events;
        compose ps; compose logs; compose ls; compose top; compose images; compose port;
        compose version; compose events; context ls; context list; context inspect; context
        show; node ls; node ps; node inspect; service ls; service ps; service inspect;
        service logs; stack ls; stack ps; stack services; manifest inspect; buildx ls;
        buildx inspect; buildx version; buildx du; plugin ls; plugin inspect; secret ls;
        config ls; swarm ca; scout; trust inspect; builder du; compose stats; compose
        volumes; machine list; pod ps; pod list; pod inspect; pod logs
    """,
    secret="""
        compose config; secret inspect; config inspect; swarm join-token; swarm unlock-key; context
        export; save; export; container export; image save
    """,
    create="""
        create; tag; image tag; network create; volume create; container create; commit; container
        commit; compose create; context create; buildx create; pod create
    """,
    alter="""
        start; stop; restart; pause; unpause; rename; update; wait; container start; container stop;
        container restart; container pause; container unpause; compose start; compose stop;
        compose restart; compose pause; compose unpause; network connect; network
        disconnect; service update; service scale; node update; context use; container
        rename; container update; buildx use; compose scale; load; image load; import; image
        import; container wait; compose wait; pod start; pod stop
    """,
    delete="""
        rm; rmi; kill; container rm; container kill; container prune; container remove; image rm;
        image prune; image remove; network rm; network prune; network remove; volume rm;
        volume prune; volume remove; system prune; compose down; compose rm; compose kill;
        service rm; stack rm; node rm; swarm leave; secret rm; config rm; builder prune;
        buildx rm; buildx prune; context rm; plugin rm; system reset; pod rm; pod kill;
        machine rm; stack down; buildx stop
    """,
    grant="""
        swarm init; swarm join; swarm update; node promote; node demote; login; logout; plugin
        install; plugin enable; secret create; service create; stack deploy; config create;
        plugin set
    """,
    export="push; image push; compose push; manifest push; trust sign",
    install="pull; image pull; compose pull; machine init",
    build="""
        build; image build; buildx build; buildx bake; compose build; compose up; compose watch;
        builder build; compose publish
    """,
    run="""
        attach; container attach; buildx imagetools; model; sandbox; debug; compose attach; machine
        ssh
    """,
    bare="read",
)


def _docker(call: Call) -> Reading:
    """`docker`, `podman`: `run` and `exec` hold a command."""
    options = read_options(call.args, _GLOBAL, stop=True)
    words = options.operands
    if words[:1] == ("container",):
        words = words[1:] if words[1:2] in (("run",), ("exec",), ("cp",)) else words
    if words[:1] == ("compose",):
        return _compose(call, words[1:]) + _outer(call, options)
    if words[:1] == ("run",) or words[:1] == ("exec",):
        return _outer(call, options) + _command(
            replace(call, args=words[1:]), image=words[0] == "run"
        )
    if words[:1] == ("cp",):
        return _outer(call, options) + _copy(call, words[1:])
    reading = read_tool(call, _DOCKER)
    if "inspect" in words[:2] and any(
        "env" in arg.lower() or arg == "{{json .}}" for arg in call.args
    ):
        reading += thing(Verb.READ, "container environment", tags=("secret",))
    force = {"-f", "--force", "-af", "-fa"} & set(words) and words[:1] != ("build",)
    return reading + (
        thing(Verb.DELETE, "container", Extent.WHOLE)
        if force and words[0] in ("rm", "rmi")
        else Reading()
    )


def _outer(call: Call, options: Options) -> Reading:
    """What the options before the subcommand do."""
    return union([act(call, o.action, o.value) for o in options.given if o.action])


def _compose(call: Call, words: tuple[str, ...]) -> Reading:
    """`docker compose …`: `run` and `exec` hold a command."""
    options = read_options(
        words,
        """
        -f|--file=r -p|--project-name= --profile= --env-file=r --project-directory=m --ansi=
        --progress= --parallel=
    """,
        stop=True,
    )
    rest = options.operands
    if rest[:1] in (("run",), ("exec",)):
        return _command(replace(call, args=rest[1:]), image=False)
    downs = rest[:1] == ("down",)
    reading = read_tool(replace(call, args=("compose", *rest)), _DOCKER)
    volumes = downs and bool({"-v", "--volumes"} & set(rest))
    return reading + (
        thing(Verb.DELETE, "container volumes", Extent.WHOLE) if volumes else Reading()
    )


def _command(call: Call, *, image: bool) -> Reading:
    """The command inside a container."""
    options = read_options(call.args, _RUN, stop=True)
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    found += [_mounted(call, value) for value in options.values("volume")]
    found += [_mounted(call, _bind_source(value)) for value in options.values("mount")]
    name = options.operands[0] if options.operands else ""
    ran = Resource(
        ResourceType.PROGRAM, name, "container", ("container_image" if image else "container",)
    )
    found.append(Reading((Effect(Verb.EXECUTE, ran),)))
    there = replace(call, scope=call.scope.elsewhere("container"))
    argv = options.operands[1:]
    for entry in options.values("entrypoint"):
        argv = (entry, *argv)
    found.append(there.command(argv))
    if (not argv and not image) or options.unknown:
        found.append(Reading(opaque=(Code.UNREAD_INPUT,)))
    tags = (WRAPPER, PRIVILEGED) if _privileged(options) else (WRAPPER,)
    return union(found).tagged(*tags)


def _bind_source(mount: str) -> str:
    """The source in `type=bind,source=…`."""
    fields = dict(part.partition("=")[::2] for part in mount.split(","))
    return fields.get("source", fields.get("src", ""))


def _mounted(call: Call, volume: str) -> Reading:
    """A directory of this machine that the container gets."""
    source, _, rest = volume.partition(":")
    if not source.startswith(("/", ".", "~")):
        return Reading()
    return call.file("R" if rest.endswith(":ro") else "W", source)


def _privileged(options: Options) -> bool:
    """Whether the container gets rights of the machine."""
    hosts = (
        "host" in options.values("network"),
        "host" in options.values("pid"),
        "host" in options.values("ipc"),
        "host" in options.values("userns"),
    )
    mounted = (*options.values("volume"), *map(_bind_source, options.values("mount")))
    roots = any(
        v.split(":")[0] == "/"
        or "docker.sock" in v
        or v.startswith(("/etc", "/var/run", "/proc", "/sys", "/root", "/boot"))
        for v in mounted
    )
    return any(hosts) or roots or options.has("privileged", "cap-add", "security-opt", "device")


def _copy(call: Call, words: tuple[str, ...]) -> Reading:
    """`docker cp`: between this machine and a container."""
    names = [word for word in words if not word.startswith("-")]
    found = [
        call.file("Rw"[place > 0], name) for place, name in enumerate(names) if ":" not in name
    ]
    return (union(found) + thing(Verb.WRITE, "container " + " ".join(names))).tagged(DESCRIBED)


def _docker_compose(call: Call) -> Reading:
    """`docker-compose`: as `docker compose`."""
    return _compose(call, call.args)


def _show(call: Call) -> Reading:
    """Registry tools that only look at images."""
    words = [arg for arg in call.args if not arg.startswith("-")]
    if words and words[0] in names(
        "inspect list-tags ls manifest digest version analyze image config"
    ):
        return thing(Verb.READ, " ".join((call.name, *words))).tagged(READ_ONLY)
    return Reading()


PROGRAMS: Table = (
    ("docker podman nerdctl", _docker),
    ("docker-compose podman-compose", _docker_compose),
    ("skopeo crane dive regctl", _show),
    (
        """
        lxc ctr crictl runc buildah incus virsh vagrant multipass limactl colima kind minikube k3d
        VBoxManage qm pct
    """,
        Tool(
            read="""
        list; ls; info; version; status; images; ps; pods; inspect; logs; get nodes; get clusters;
        ip; profile list; config view; cluster list; global-status; dominfo
    """,
            delete="""
        delete; rm; rmi; destroy; undefine; stop; delete cluster; prune; purge; kill; cluster
        delete; box remove; unregistervm
    """,
            alter="""
        start; restart; create; create cluster; launch; up; provision; resume; suspend; halt;
        reload; snapshot; cluster create
    """,
            run="exec; run; ssh; shell; console; attach",
        ),
    ),
)
