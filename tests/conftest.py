"""What every kind of test starts from: the fixtures of tests/support."""

pytest_plugins = ["tests.support.fixtures"]
