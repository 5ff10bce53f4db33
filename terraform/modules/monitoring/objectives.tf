# The objectives of each server, as parts of the queries that count against them.

locals {
  _objectives = {
    for api, objective in var.objectives : api => {
      failures   = 1 - objective.availability_percent / 100
      slow       = 1 - objective.latency_percentile / 100
      latency_ms = objective.latency_ms
    }
  }

  # Pairs of `case()`: what is true, and the value then. Rounded, because 1 - 99.5 / 100 is no round number.
  _objective_pairs = {
    latency_limits  = [for api, objective in local._objectives : "ApiId == \"${api}\", ${format("%.1f", objective.latency_ms)}"]
    failure_budgets = [for api, objective in local._objectives : "ApiId == \"${api}\", ${format("%.6f", objective.failures)}"]
    latency_budgets = [for api, objective in local._objectives : "ApiId == \"${api}\", ${format("%.6f", objective.slow)}"]
  }

  # Without objectives the workbook's queries find nothing, and are queries all the same.
  _objective_texts = merge(
    { apis = join(", ", [for api in coalescelist(keys(local._objectives), [""]) : "\"${api}\""]) },
    { for name, pairs in local._objective_pairs : name => join(", ", coalescelist(pairs, ["false, 0.0"])) },
  )

  # "Alerting on SLOs": budget share × 30 days / window = how many times too fast. 2 % in an hour, 5 % in six hours; its third row, 10 %
  # in three days, is 10 % in one day here: a log alert looks back two days at most ("Create or edit a log search alert rule", 2024-02-28).
  _burns = {
    fast = { window = "PT1H", recent = "5m", frequency = "PT5M", burn = 14.4, severity = 1, share = "2 % of a month's budget in an hour" }
    slow = { window = "PT6H", recent = "30m", frequency = "PT15M", burn = 6, severity = 2, share = "5 % of a month's budget in six hours" }
    day  = { window = "P1D", recent = "2h", frequency = "PT1H", burn = 3, severity = 3, share = "10 % of a month's budget in a day" }
  }

  _burn_alerts = {
    for name, rule in local._burns : "objectives-burn-${name}" => {
      query      = "objectives-burn"
      recent     = rule.recent
      severity   = rule.severity
      frequency  = rule.frequency
      window     = rule.window
      measure    = "Burn"
      threshold  = rule.burn
      dimensions = ["ApiId", "Objective"]
      todo       = "A server spends ${rule.share}, and goes on: calls fail (availability) or take too long (latency). Open the workbook, Objectives, for how much is left; then Slots, whether one slot or all fail, or Latency, whether the time is the server's or the gateway's. 502 with a healthy slot means that the server refuses the gateway's token. Run `invoke status --env ${var.environment}`; after a deployment, `invoke rollback --env ${var.environment}`."
    } if length(var.objectives) > 0
  }
}
