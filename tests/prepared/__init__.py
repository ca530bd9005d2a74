"""Commands of rendered projects in forks of one process that has their libraries imported.

Of the processor time that `mlops` takes in a test, most goes into importing MLflow, pandas and
scikit-learn again. In the environment that the projects of a test process share, `mlops` asks a
process of that same environment to fork. The fork has the words, the folder, the environment
variables, the open files 0 to 2 and `sys.path` of the one that asked; it imports the platform
package and the project itself, and hands back its exit code.

`mlops` runs by itself, as everywhere else, where nobody answers, where a library is no longer the
one that was imported, and for commands that do not end or must come to the same in another process.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parent
ADDRESS = "COPIER_MLOPS_PREPARED"  # names the socket
_started: list[subprocess.Popen[bytes]] = []


def start(environment: Path) -> None:
    """Prepare a process for the commands of an environment that uv has made; once."""
    libraries = next(environment.glob("lib/python3*/site-packages"), None)
    if sys.platform != "linux" or _started or libraries is None:
        return
    imported = [
        each.name
        for each in libraries.glob("*.dist-info")
        if not (each / "direct_url.json").exists()
    ]
    (libraries / "_prepared.txt").write_text("\n".join(imported))
    shutil.copy(HOME / "client.py", libraries / "_prepared.py")
    # Named so that it is read last, when `sys.path` is whole.
    (libraries / "zz_prepared.pth").write_text("import _prepared; _prepared.main()\n")
    server = [str(environment / "bin" / "python"), str(HOME / "server.py"), os.environ[ADDRESS]]
    _started.append(subprocess.Popen(server, stdin=subprocess.DEVNULL))


def stop() -> None:
    """End the process."""
    for process in _started:
        process.kill()
        process.wait()
    _started.clear()
