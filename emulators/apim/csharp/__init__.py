"""Policy expressions: the documented C# subset, type-checked and compiled once to Python closures."""
