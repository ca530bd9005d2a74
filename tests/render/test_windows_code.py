"""No code that fails on Windows, and no line end or command that differs there.

None of this has run on Windows. These are faults that can be read off the code, and each kind has a
planted one. Commands in messages and docs are for bash and PowerShell alike, 5.1 too.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_platform.core.files import hash_path

from tests.rendering import ROOT, commit_all, render

MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
MISSING = re.compile(
    r"add_signal_handler|f?chown|fchmod|fork(pty)?|gete?[ug]id|getloadavg|getpgid|kill(pg)?|mkfifo"
    r"|pthread_(kill|sigmask)|sched_getaffinity|setitimer|setsid|sigwait|statvfs|symlink(_to)?"
    r"|sysconf|uname|SIG(ALRM|HUP|KILL|USR[12])|O_(DIRECTORY|NOFOLLOW)|WNOHANG"
)
GUARDS = re.compile(r"hasattr\(|os\.name|sys\.platform")
POSIX_PATH = re.compile(r"/(dev|tmp|bin|usr|etc|proc|var)/.*|/tmp")
SHELL = re.compile(r" (&&|\|\|) |^export |^[A-Z_]+=|\\$|\$\(", re.MULTILINE)
# Moves and deletions know there what Windows refuses.
FILES = "package/src/mlops_platform/core/files.py"
MOVES = {"os.rename", "os.replace", "shutil.move", "shutil.rmtree"}
OURS = {"files.write_text"}
# The machine's memory as a disk, asked for whether it is there.
ALLOWED = {("dev.py", "a path of Unix")}


def nodes(tree: ast.AST, *, guarded: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, and whether a condition has asked what the system has."""
    yield tree, guarded
    inside = isinstance(tree, ast.If | ast.IfExp) and GUARDS.search(ast.unparse(tree.test))
    for child in ast.iter_child_nodes(tree):
        yield from nodes(child, guarded=guarded or bool(inside))


def call_faults(call: ast.Call) -> Iterator[str]:
    """Text without its encoding or line ends, shells, and moves that Windows refuses."""
    function = ast.unparse(call.func)
    name = function.rpartition(".")[2]
    given = {each.arg: ast.unparse(each.value) for each in call.keywords}
    method = isinstance(call.func, ast.Attribute) and function not in OURS
    modes = (str(each.value) for each in call.args if isinstance(each, ast.Constant))
    mode = next((each for each in modes if re.fullmatch(r"[rwabx+]{1,3}", each)), "r")
    opens = name == "open" and "b" not in mode and function not in ("os.open", "tarfile.open")
    reads = method and name == "read_text" and not call.args
    writes = method and name == "write_text"
    if (opens or reads or (writes and len(call.args) < 2) or given.get("text") == "True") and (
        "encoding" not in given
    ):
        yield "text without an encoding"
    if (writes or (opens and set(mode) & set("wax"))) and "newline" not in given:
        yield "text without its line ends"
    if given.get("shell") == "True" or name in ("system", "popen"):
        yield "a shell"
    alone = method and not given and len(call.args) == 1 and not isinstance(call.args[0], ast.Dict)
    if (alone and name in ("rename", "replace")) or function in MOVES:
        yield "a move or deletion beside core/files.py"
    if name == "strftime" and any("%-" in ast.unparse(each) for each in call.args):
        yield "a format of Unix"


def text_of(node: ast.AST) -> ast.AST | None:
    """The argument of `str(...)`."""
    called = isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and node.args
    return node.args[0] if called else None


def code_faults(source: str) -> list[str]:
    """What Windows lacks, or does in another way."""
    found = []
    for node, guarded in nodes(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {each.name for each in node.names} | {getattr(node, "module", None)}
            found += ["a module of Unix"] * (bool(names & MODULES) and not guarded)
        elif isinstance(node, ast.Attribute):
            found += ["a name of Unix"] * (bool(MISSING.fullmatch(node.attr)) and not guarded)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += ["a path of Unix"] * bool(POSIX_PATH.fullmatch(node.value))
            found += ["a command for one shell"] * bool(re.search(r" (&&|\|\|) git", node.value))
        elif isinstance(node, ast.Call):
            found += call_faults(node)
        shown = node.value if isinstance(node, ast.FormattedValue) else text_of(node)
        if isinstance(shown, ast.Call) and ast.unparse(shown.func).endswith(".relative_to"):
            found.append("a path with backslashes")
    return found


def test_no_code_needs_unix() -> None:
    paths = [
        ROOT / "dev.py",
        *(ROOT / "package/src").rglob("*.py"),
        *(ROOT / "hooks").rglob("*.py"),
    ]
    assert len(paths) > 200
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if name != FILES:
            found = code_faults(path.read_text("utf-8"))
            assert [(name, each) for each in found if (name, each) not in ALLOWED] == []


def test_no_rendered_code_needs_unix(combination_for_code: Path) -> None:
    paths = list(combination_for_code.rglob("*.py"))
    assert len(paths) > 10
    for path in paths:
        found = set(code_faults(path.read_text("utf-8")))
        assert (path.name, found - {"text without its line ends"}) == (path.name, set())


@pytest.fixture(scope="module")
def combination_for_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("windows") / "project"
    return render({"project_name": "Credit Risk"}, folder, small=True)


@pytest.mark.parametrize(
    "planted",
    [
        "open('a.txt')",
        "path.read_text()",
        "path.open()",
        "path.write_text('a', newline='\\n')",
        "subprocess.run(['uv'], text=True)",
        "path.write_text('a', encoding='utf-8')",
        "path.open('w', encoding='utf-8')",
        "path.open('a', encoding='utf-8')",
        "import fcntl",
        "from resource import getrusage",
        "os.kill(1, 9)",
        "signal.SIGKILL",
        "loop.add_signal_handler(15, stop)",
        "os.geteuid()",
        "path.symlink_to(other)",
        "subprocess.run('uv', shell=True)",
        "os.system('uv')",
        "Path('/tmp')",
        "Path('/dev/null')",
        "run(['/bin/sh', '-c', 'uv'])",
        "shutil.rmtree(folder)",
        "scratch.rename(folder)",
        "scratch.replace(folder)",
        "os.replace(scratch, folder)",
        "day.strftime('%-d %B')",
        "str(path.relative_to(root))",
        "f'{path.relative_to(root)}: is missing'",
        "'undo: git merge --abort && git switch main'",
    ],
)
def test_planted_code_is_seen(planted: str) -> None:
    assert len(code_faults(planted)) == 1


@pytest.mark.parametrize(
    "good",
    [
        "open('a.txt', encoding='utf-8')",
        "path.open('rb')",
        "path.read_text('utf-8')",
        "path.write_text('a', encoding='utf-8', newline='\\n')",
        "write_text(path, 'a')",
        "text.replace('a', 'b')",
        "day.replace(tzinfo=None)",
        "frame.rename(columns={'a': 'b'})",
        "if hasattr(signal, 'pthread_kill'):\n    signal.pthread_kill(main, 2)",
        "os.open(os.devnull, os.O_RDWR)",
        "str(path.relative_to(root).as_posix())",
    ],
)
def test_good_code_is_not(good: str) -> None:
    assert code_faults(good) == []


def commands(page: str) -> list[str]:
    """The blocks of a page that people copy into a shell."""
    return re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_commands_in_docs_are_for_every_shell(combination_for_code: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    pages += combination_for_code.rglob("*.md")
    blocks = [
        block
        for page in pages
        for block in commands(page.read_text("utf-8"))
        if page.name != "connect.md"  # says that it is for bash
    ]
    assert len(blocks) > 20
    assert [block for block in blocks if SHELL.search(block)] == []
    assert "for bash" in (combination_for_code / "docs/connect.md").read_text("utf-8")


@pytest.mark.parametrize("planted", ["a && b", "export A=1", "A=1 uv run b", "a \\\n  b", "a $(b)"])
def test_planted_commands_are_seen(planted: str) -> None:
    assert [bool(SHELL.search(block)) for block in commands(f"```bash\n{planted}\n```\n")] == [True]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()


def without_line_ends(listed: str) -> list[str]:
    """Of `git ls-files --eol`, the text files that a checkout on Windows would change."""
    return [
        line
        for line in listed.splitlines()
        if not line.startswith("i/-text") and not re.search(r"attr/(text=auto eol=lf|-text)", line)
    ]


def test_the_template_has_the_same_bytes_in_every_checkout() -> None:
    listed = git(ROOT, "ls-files", "--eol")
    assert len(listed.splitlines()) > 500
    assert without_line_ends(listed) == []


def test_a_planted_file_without_line_ends_is_seen() -> None:
    assert without_line_ends("i/lf    w/lf    attr/                 \tcopier.yml\n")


@pytest.mark.parametrize("attributes", [True, False])
def test_a_checkout_on_windows_has_the_same_hashes(
    combination_for_code: Path, tmp_path: Path, attributes: bool
) -> None:
    """`core.autocrlf` is on there by default; without .gitattributes all hashes would differ."""
    project = shutil.copytree(combination_for_code, tmp_path / "project")
    if not attributes:
        (project / ".gitattributes").unlink()
    commit_all(project, "Start")
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", "project", "clone")
    for folder in ("conf", "src", "data"):
        same = hash_path(project / folder) == hash_path(tmp_path / "clone" / folder)
        assert same is attributes
