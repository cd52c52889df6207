"""Which layer wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.settings import Settings, TargetSettings
from enforcers.errors import SettingsError

ROOT = Path(__file__).parents[2]


def _write(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "sluicegate.toml"
    path.write_text(text)
    return path


def _origins(settings: Settings) -> dict[str, str]:
    return {one.name: one.origin for one in settings.sources()}


def test_defaults_lie_under_the_home(home: Path) -> None:
    settings = Settings.load()
    assert (settings.home, settings.trust) == (home, home / "trust.json")
    assert (settings.keys, settings.archive) == (home / "keys", home / "archive")
    assert settings.principals == home / "principals.yaml"
    assert settings.policy.name == "production.yaml"
    assert settings.policy.exists()


def test_flags_beat_environment_beats_file_beats_defaults(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(home, 'zone = "file"\nprincipal = "agent:file"\nexecutor = "file"')
    monkeypatch.setenv("SLUICEGATE_ZONE", "environment")
    monkeypatch.setenv("SLUICEGATE_PRINCIPAL", "agent:environment")
    settings = Settings.load({"zone": "flag"})
    assert (settings.zone, settings.principal) == ("flag", "agent:environment")
    assert (settings.executor, settings.environment) == ("file", "production")
    origins = _origins(settings)
    assert origins["zone"] == "flag"
    assert origins["principal"] == "environment SLUICEGATE_PRINCIPAL"
    assert origins["executor"] == f"file {path}"
    assert origins["environment"] == "default"


def test_the_working_directory_is_never_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sluicegate.toml").write_text('trust = "mine.json"')
    monkeypatch.chdir(tmp_path)
    assert Settings.load().trust == home / "trust.json"


def test_the_named_file_takes_the_place_of_the_homes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(home, 'zone = "home"')
    named = tmp_path / "other.toml"
    named.write_text('zone = "named"\narchive = "records"')
    monkeypatch.setenv("SLUICEGATE_CONFIG", str(named))
    settings = Settings.load()
    assert (settings.zone, settings.archive) == ("named", tmp_path / "records")


def test_a_home_flag_moves_the_settings_file(home: Path, tmp_path: Path) -> None:
    _write(tmp_path / "second", 'zone = "second"')
    assert Settings.load({"home": str(tmp_path / "second")}).zone == "second"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_EXECUTOR", "")
    assert Settings.load().executor == "executor-1"


def test_targets_are_read_and_their_paths_start_at_the_file(home: Path) -> None:
    _write(
        home,
        '[catalogs]\nshop = "c.yaml"\n'
        '[targets.shop]\nsystem = "sqlite"\npath = "shop.db"\ncatalog = "shop"',
    )
    settings = Settings.load()
    assert settings.catalogs == {"shop": home / "c.yaml"}
    assert settings.targets == {
        "shop": TargetSettings(system="sqlite", path=home / "shop.db", catalog="shop")
    }


REFUSED_FILES = [
    ('bootstrp = "a"', "unknown key `bootstrp`", "did you mean `bootstrap`?"),
    ("[targets.a]\nsystem = 'sqlite'\npth = 'x'", "unknown key `pth` in [targets.a]", "`path`?"),
    ("[targets.a]\nsystem = 'oracle'\npath = 'x'", "targets.a.system", "correct it"),
    (
        "[targets.a]\nsystem = 'duckdb'\npath = 'x'\ncatalog = 'c'",
        "names catalog `c`",
        "[catalogs]",
    ),
    ("targets = 7", "`targets`", "correct it"),
    ("keys = 7", "`keys`", "correct it"),
    ("valid_for_ms = 9999", "`valid_for_ms`", "5000"),
    ('zone = "a b"', "`zone`", "correct it"),
    ('zone = "a b"', "string should match pattern '^[A-Za-z0-9_-]{0,60}$'", "correct it"),
    ("[targets.a]\nsystem = 'postgres'", "refused: a postgres target has either `dsn`", "correct"),
    ('home = "/elsewhere"', "`home` locates", "set SLUICEGATE_HOME"),
    ("zone = ", "is no TOML", "correct it"),
]


@pytest.mark.parametrize(("text", "what", "remedy"), REFUSED_FILES)
def test_a_bad_file_is_refused_in_one_line(home: Path, text: str, what: str, remedy: str) -> None:
    _write(home, text)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    message = str(caught.value)
    assert what in message
    assert remedy in message


def test_a_file_that_anyone_may_write_is_refused(home: Path) -> None:
    _write(home, 'zone = "a"').chmod(0o666)
    with pytest.raises(SettingsError, match="chmod o-w"):
        Settings.load()


REFUSED_VARIABLES = [
    ("SLUICEGATE_HOM", "x", "did you mean `SLUICEGATE_HOME`?"),
    ("SLUICEGATE_SERVERS", "x", "is unknown"),
    ("sluicegate_zone", "x", "is unknown; did you mean `SLUICEGATE_ZONE`?"),
    ("SLUICEGATE_FOO", "1", "`SLUICEGATE_FOO` is unknown; remove it"),
    ("SLUICEGATE_TRUST", "trust.json", "give an absolute one"),
    ("SLUICEGATE_CONFIG", "some.toml", "give an absolute one"),
    ("SLUICEGATE_CONFIG", "/no/such/file", "is no file"),
    ("SLUICEGATE_VALID_FOR_MS", "soon", "environment SLUICEGATE_VALID_FOR_MS"),
    ("SLUICEGATE_TARGETS", "{", "no JSON object"),
    ("SLUICEGATE_TARGETS", '{"a": {"system": "sqlite", "path": "x"}}', "give an absolute one"),
]


@pytest.mark.parametrize(("name", "value", "message"), REFUSED_VARIABLES)
def test_a_bad_variable_is_refused(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


SERVERS = {
    "": "",
    "kafka:9092": "kafka:9092",
    "127.0.0.1:1,b.example.org:65535": "127.0.0.1:1,b.example.org:65535",
    " a:1, b:2 ": "a:1,b:2",
    "[::1]:9092": "[::1]:9092",
}


@pytest.mark.parametrize(("given", "read"), SERVERS.items())
def test_servers_are_hosts_with_ports(given: str, read: str) -> None:
    assert Settings.load({"bootstrap": given}).bootstrap == read


NO_SERVERS = ["kafka", "127.0.0.1:99999", "a:0", ":9092", "a:1,", "a:1,,b:2", "kafka://a:1", "::1:1", "a b:1", "a:-1", "a:\u0663"]  # fmt: skip


@pytest.mark.parametrize("given", NO_SERVERS)
def test_what_is_no_list_of_servers_is_refused(home: Path, given: str) -> None:
    path = _write(home, f'bootstrap = "{given}"')
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    message = str(caught.value)
    assert message.startswith(f"setting `bootstrap` (file {path}) refused: `")
    assert message.endswith(
        "` is not `host:port` with a port from 1 to 65535 (several with commas); correct it"
    )


def test_a_target_that_is_not_declared_is_missed_in_the_file_by_its_path(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(home, '[targets.shop]\nsystem = "sqlite"\npath = "x"')
    with pytest.raises(SettingsError) as caught:
        Settings.load().target("shp")
    assert str(caught.value) == (
        f"target `shp` is not declared (shop); add [targets.shp] to `{path}`"
    )
    (tmp_path / "other.toml").touch()
    monkeypatch.setenv("SLUICEGATE_CONFIG", str(tmp_path / "other.toml"))
    with pytest.raises(SettingsError, match=rf"\(none is\); .* to `{tmp_path}/other.toml`"):
        Settings.load().target("shp")


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().zone = "other"  # type: ignore[misc]


def test_every_setting_is_in_the_page() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    for name in Settings.model_fields:
        assert f"| `{name}` | `SLUICEGATE_{name.upper()}` |" in page
    for name in TargetSettings.model_fields:
        assert f"\n| `{name}` |" in page


WRONG_PLACES = [
    "system = 'postgres'",
    "system = 'postgres'\npath = 'x'",
    "system = 'postgres'\ndsn = 'postgresql://u:s3cret@h/d'\ndsn_variable = 'A'",
    "system = 'sqlite'",
    "system = 'duckdb'\ndsn = 'postgresql://u:s3cret@h/d'",
    "system = 'sqlite'\npath = 'x'\nmax_rows = 0",
]


@pytest.mark.parametrize("text", WRONG_PLACES)
def test_a_target_has_one_place_and_real_limits(home: Path, text: str) -> None:
    _write(home, f"[targets.a]\n{text}")
    with pytest.raises(SettingsError, match=r"targets\.a.*correct it") as caught:
        Settings.load()
    assert "s3cret" not in str(caught.value)
