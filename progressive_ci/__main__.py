"""`python -m progressive_ci`: the same command as `progressive-ci`."""

from progressive_ci.cli.main import main

if __name__ == "__main__":
    main()
