# Managed: belongs to the standard, `copier update` changes it.
"""`python -m <package>.mlops`, the same commands as `mlops`."""

from .cli import main

if __name__ == "__main__":
    main()
