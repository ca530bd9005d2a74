"""`python -m mlops_platform`, the same commands as `mlops`."""

from mlops_platform.cli import main

if __name__ == "__main__":
    main()
