"""What is done to a platform that runs: heal, roll back, rotate keys, unlock the state, verify, add a server."""
