"""The local platform's own page: topology, sign-in and tool calls, policy traces, directory. Loopback only."""
