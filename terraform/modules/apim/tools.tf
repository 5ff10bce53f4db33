# Lists of tools as one regular expression per tier, so that what tools/list shows and what a call may do cannot differ.
locals {
  _tool_name = "[A-Za-z0-9_./-]"

  _tool_lists = merge([
    for server_name, server in var.servers : {
      for tier_name, tier in server.tiers : "${server_name}-${tier_name}" => {
        for list, patterns in { allow = tier.tools.allow, deny = tier.tools.deny, repeatable = tier.tools.repeatable } :
        list => patterns == null ? null : join("|", [
          for pattern in patterns : replace(replace(pattern, ".", "\\."), "*", "${local._tool_name}*")
        ])
      }
    }
  ]...)

  # `tools`: "" where nothing is listed, and then the policy has no step for it. `repeatable`: "" for none, "*" for all.
  _tool_patterns = {
    for tier, lists in local._tool_lists : tier => {
      tools      = lists.allow == null && lists.deny == "" ? "" : "^${lists.deny == "" ? "" : "(?!(?:${lists.deny})$)"}(?:${coalesce(lists.allow, "${local._tool_name}+")})$"
      repeatable = lists.repeatable == "" ? "" : lists.repeatable == "${local._tool_name}*" ? "*" : "^(?:${lists.repeatable})$"
    }
  }
}
