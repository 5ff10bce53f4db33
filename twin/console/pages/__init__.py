"""One page per file; each takes what it shows and returns finished HTML."""
