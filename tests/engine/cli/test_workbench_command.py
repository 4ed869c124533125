"""The configuration of the server. Streamlit silently ignores a file that it cannot read."""

import tomllib

from engine.cli.workbench import build_server_command


def test_the_configuration_is_whole_and_nothing_is_reported():
    command, home = build_server_command("127.0.0.1", None)
    settings = tomllib.loads((home / ".streamlit" / "config.toml").read_text())
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["runner"]["magicEnabled"] is False
    assert settings["client"]["showErrorDetails"] == "none"
    assert {"light", "dark"} <= set(settings["theme"])
    assert {"--browser.gatherUsageStats=false", "--logger.hideWelcomeMessage=true"} <= set(command)
