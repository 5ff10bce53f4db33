"""Plain Python behind the Invoke tasks: decisions as functions of their inputs, effects at the edge."""
