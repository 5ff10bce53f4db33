"""What happens on a platform that runs: logs, traces, calls."""
