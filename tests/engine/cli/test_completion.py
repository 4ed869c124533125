import shutil
import subprocess

import pytest

from engine.cli import main
from engine.cli.verbs import VERBS


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_script_names_every_verb(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in VERBS)


@pytest.mark.slow
def test_bash_completes_verbs_actions_options_values_and_files(tmp_path, capsys):
    main(["completion", "bash"])
    (tmp_path / "veil.bash").write_text(capsys.readouterr().out)
    (tmp_path / "talk.mp4").touch()
    bash = shutil.which("bash")

    def complete(*words):
        program = (
            'source veil.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9; '
            "_shtab_veil 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        done = subprocess.run(
            [bash, "-c", program, "bash", *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        return set(done.stdout.split())

    assert complete("veil", "anon") == {"anonymise"}
    assert complete("veil", "users", "pol") == {"policy"}
    assert "--on-damage" in complete("veil", "detect", "--on")
    assert complete("veil", "detect", "--mode", "hy") == {"hybrid"}
    assert "talk.mp4" in complete("veil", "probe", "tal")
