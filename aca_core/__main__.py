"""Run the command line as ``python -m aca_core``."""

from aca_core.cli import main

if __name__ == "__main__":
    main()
