"""Settings: which source wins, and what is said about a wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskdeck.config import ConfigError, Settings
from taskdeck.environment import SERVER_NAMES, check_environment, data_folder

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TASKDECK_"):
            monkeypatch.delenv(name)


def test_defaults_are_loopback_and_quiet(tmp_path: Path) -> None:
    settings = Settings.load(data=tmp_path)
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 7337, "info")
    assert settings.data == tmp_path


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taskdeck.toml").write_text('port = 1\nhost = "::1"\nlog_level = "error"\n')
    monkeypatch.setenv("TASKDECK_PORT", "2")
    monkeypatch.setenv("TASKDECK_LOG_LEVEL", "DEBUG")
    settings = Settings.load(data=tmp_path, port=3, log_level=None)
    assert (settings.port, settings.log_level, settings.host) == (3, "debug", "::1")


def test_the_folder_comes_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKDECK_DATA", str(tmp_path))
    assert Settings.load().data == tmp_path == data_folder()


def test_an_empty_variable_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKDECK_PORT", "")
    assert Settings.load(data=tmp_path).port == 7337


def test_hosts_are_a_list_in_the_file_and_commas_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taskdeck.toml").write_text('allowed_hosts = ["deck.lan"]\n')
    assert Settings.load(data=tmp_path).allowed_hosts == ("deck.lan",)
    monkeypatch.setenv("TASKDECK_ALLOWED_HOSTS", "a.lan, b.lan")
    assert Settings.load(data=tmp_path).allowed_hosts == ("a.lan", "b.lan")


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "taskdeck.toml").write_text("prot = 7000\n")
    with pytest.raises(ConfigError, match=r"taskdeck\.toml sets prot") as caught:
        Settings.load(data=tmp_path)
    assert caught.value.hint == "did you mean port?"


def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKDECK_PROT", "7000")
    with pytest.raises(ConfigError, match="TASKDECK_PROT") as caught:
        Settings.load(data=tmp_path)
    assert caught.value.hint == "did you mean TASKDECK_PORT?"


def test_variables_of_clients_and_of_running_tasks_are_known() -> None:
    check_environment({"TASKDECK_URL": "x", "TASKDECK_TOKEN": "x", "TASKDECK_WORKER": "x", "TASKDECK_TASK_KEY": "x"})


@pytest.mark.parametrize(
    ("text", "place"),
    [("port = 70000", "port in "), ('port = "many"', "port in "), ('log_level = "loud"', "log_level in ")],
)
def test_a_wrong_value_names_its_place(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "taskdeck.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Settings.load(data=tmp_path)
    assert place in caught.value.detail


def test_a_wrong_flag_and_a_wrong_variable_are_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"^--port: "):
        Settings.load(data=tmp_path, port=-1)
    monkeypatch.setenv("TASKDECK_BODY_LIMIT", "1")
    with pytest.raises(ConfigError, match=r"^TASKDECK_BODY_LIMIT: "):
        Settings.load(data=tmp_path)


def test_a_broken_file_is_an_error_and_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "taskdeck.toml").write_text("port = \n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        Settings.load(data=tmp_path)
    (tmp_path / "taskdeck.toml").write_bytes(b"host = '\xff'\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.load(data=tmp_path)


def test_the_folder_cannot_be_named_by_the_file_inside_it(tmp_path: Path) -> None:
    (tmp_path / "taskdeck.toml").write_text('data = "/elsewhere"\n')
    with pytest.raises(ConfigError, match="data"):
        Settings.load(data=tmp_path)


def test_every_setting_has_its_variable() -> None:
    assert set(Settings.model_fields) == set(SERVER_NAMES)


def test_a_dialects_choices_are_a_table_in_the_file_and_json_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taskdeck.toml").write_text("[stride]\nclaim_minutes = 5\n")
    assert Settings.load(data=tmp_path).stride.claim_minutes == 5
    monkeypatch.setenv("TASKDECK_STRIDE", '{"other_hooks_ms": 7}')
    stride = Settings.load(data=tmp_path).stride
    assert (stride.other_hooks_ms, stride.claim_minutes) == (7, 60)
    monkeypatch.setenv("TASKDECK_STRIDE", "{")
    with pytest.raises(ConfigError, match=r"^TASKDECK_STRIDE: "):
        Settings.load(data=tmp_path)


def test_only_loading_reads_other_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKDECK_PORT", "2")
    assert Settings(data=tmp_path).port == 7337


def test_an_option_is_not_taken_for_the_data_folder() -> None:
    with pytest.raises(ConfigError, match="--data names no folder but --help"):
        data_folder(Path("--help"), {})
    assert data_folder(Path("/srv/-odd"), {}) == Path("/srv/-odd")
