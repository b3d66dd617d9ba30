"""The words of the tool as frozen values. Pure, and without a dependency on any other package of ours."""
