"""The JavaScript of the components as it reaches the browser, and that an installed Veil has all of it."""

import os
import re
import shutil
import subprocess
import tomllib

import pytest

from tests.repository import ROOT
from workbench.components.bundle import BundleError, bundle

COMPONENTS = ROOT / "workbench" / "components"


def written(folder, **files):
    """Files of JavaScript; gives the one that is called main."""
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def run(text, expression):
    """What an expression of the default export `it` gives in Node.js."""
    if shutil.which("node") is None:
        assert os.environ.get("CI") != "true", "Node.js must be there in continuous integration"
        pytest.skip("Node.js is not installed; JavaScript cannot be run")
    script = f"{text}\nconst it = $module{text.count('=> { //') - 1}.main;\nconsole.log({expression});"
    # On standard input: an argument may not be longer than 128 KB.
    words = ["node", "--input-type=module", "-"]
    return subprocess.run(words, input=script, capture_output=True, text=True, check=True).stdout.strip()


def test_modules_find_what_they_import_and_share_no_names(tmp_path):
    main = written(
        tmp_path,
        one="const secret = 1;\nexport function first() {\n  return secret;\n}\n",
        two='import { first } from "./one.js";\n\nconst secret = 10;\nexport const second = first() + secret;\n',
        main='import { first } from "./one.js";\nimport {\n  second,\n} from "./two.js";\n\n'
        "const secret = 100;\nexport default function main() {\n  return first() + second + secret;\n}\n",
    )
    assert run(bundle(main), "it()") == "112"


def test_a_module_that_two_import_runs_once(tmp_path):
    main = written(
        tmp_path,
        counter="export class Counter {\n  static made = [];\n}\n",
        one='import { Counter } from "./counter.js";\n\nCounter.made.push("one");\nexport const one = 1;\n',
        main='import { Counter } from "./counter.js";\nimport { one } from "./one.js";\n\n'
        "export default function main() {\n  return Counter.made.length + one;\n}\n",
    )
    text = bundle(main)
    assert text.count("class Counter") == 1
    assert run(text, "it()") == "2"


def test_documentation_is_left_out_but_nothing_else(tmp_path):
    main = written(
        tmp_path,
        main="/**\n * What it does.\n */\nexport default function main() {\n"
        '  /** @type {string} */\n  const glob = "/**";\n  return `${glob} kept */`;\n}\n',
    )
    text = bundle(main)
    assert "What it does" not in text
    assert run(text, "it()") == "/** kept */"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('import { gone } from "./other.js";\n\nexport default function main() {}\n', "gone"),
        ('import { one } from "./nowhere.js";\n\nexport default function main() {}\n', "not there"),
        ('import * as other from "./other.js";\n\nexport default function main() {}\n', "not known"),
        ('import other from "./other.js";\n\nexport default function main() {}\n', "not known"),
        ('import { one as two } from "./other.js";\n\nexport default function main() {}\n', "not known"),
        ('import { one } from "somewhere";\n\nexport default function main() {}\n', "not known"),
        ("export let changing = 1;\nexport default function main() {}\n", "not known"),
        ("export default { main: 1 };\n", "not known"),
        ("export function main() {}\n", "default"),
        ('import { back } from "./back.js";\n\nexport default function main() {}\n', "itself"),
    ],
)
def test_what_the_bundle_does_not_know_is_an_error(tmp_path, text, complaint):
    back = 'import { other } from "./main.js";\n\nexport const back = 1;\n'
    with pytest.raises(BundleError, match=complaint):
        bundle(written(tmp_path, main=text, other="export const one = 1;\n", back=back))


@pytest.mark.parametrize("name", ["canvas", "player"])
def test_a_component_is_one_module_with_a_default_export(name):
    text = bundle(COMPONENTS / name / "js" / "main.js")
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert len(re.findall(r"^export\b", text, re.MULTILINE)) == 1
    (shown,) = re.findall(r"^export default (\$module\d+\.\w+);", text, re.MULTILINE)
    assert run(text, f"typeof {shown}") == "function"


def test_an_installed_veil_has_every_file_of_the_components():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    listed = {
        path
        for package, patterns in data.items()
        if package != "*"
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    there = {path for path in COMPONENTS.rglob("*") if path.suffix in {".js", ".css", ".html"}}
    assert there
    assert there <= listed
