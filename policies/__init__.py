"""Custom Checkov policies: what makes this pattern safe and no built-in covers. One file, one policy, one name."""
