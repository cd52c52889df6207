"""`python -m console` is `sluicegate`."""

from console.cli.app import main

if __name__ == "__main__":
    main()
