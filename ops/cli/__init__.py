"""The command line: tasks and their options, help, what people see and what machines read."""
