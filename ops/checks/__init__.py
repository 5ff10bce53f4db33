"""Whether it is right: doctor, status, smoke test, live checks, policy files."""
