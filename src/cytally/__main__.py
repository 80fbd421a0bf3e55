"""`python -m cytally` is the command `cytally`."""

from cytally.cli.main import main

if __name__ == "__main__":
    main()
