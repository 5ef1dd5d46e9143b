"""Draw the README's picture of ``aca plugins`` on a terminal; run it with ``python docs/_picture.py``.

It runs the command for real, on a pseudo-terminal, with the two examples and a broken plugin installed for the moment.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from aca_core.testing.fixtures import PluginInstaller

DOCS = Path(__file__).parent
COLUMNS = 126


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command writes to a terminal, colours and all."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=environment)
    os.close(slave)
    chunks = []
    try:
        while chunk := os.read(master, 65536):
            chunks.append(chunk)
    except OSError:
        pass  # the other end is closed: the command is done
    process.wait()
    os.close(master)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def main() -> None:
    """Write docs/images/aca-plugins.svg."""
    with tempfile.TemporaryDirectory() as folder:
        install = PluginInstaller(Path(folder))
        examples = DOCS.parent / "examples"
        sim1 = (examples / "aca-sim1" / "src" / "aca_sim1" / "__init__.py").read_text(encoding="utf-8")
        logistic = (examples / "aca-logistic" / "aca_logistic.py").read_text(encoding="utf-8")
        install("sim1", sim1, distribution="aca-sim1", version="0.1.0")
        install("logistic", logistic, distribution="aca-logistic", version="0.1.0")
        install("maps", "import lost_library", distribution="aca-maps", version="2.3")
        environment = {**os.environ, "PYTHONPATH": folder, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        words = [sys.executable, "-c", "from aca_core.cli import main; main()", "plugins"]
        output = on_a_terminal(words, environment)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text("$ aca plugins", style="bold"))
    console.print(Text.from_ansi(output))
    target = DOCS / "images" / "aca-plugins.svg"
    target.parent.mkdir(exist_ok=True)
    svg = console.export_svg(title="aca plugins", unique_id="aca")
    # The web fonts that rich names would be fetched from a server; any monospaced font of the reader does.
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
    target.write_text(svg, encoding="utf-8")
    print(output)


if __name__ == "__main__":
    main()
