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

  # Where there is a list, everything else that could give what it forbids is closed unless it is opened: a resource may hold
  # what a tool would answer, and completion the names of it. What is not named here, in any version of the protocol, is
  # refused. The empty method is a client's answer to a question of the server.
  _methods = {
    for tier, given in merge([
      for server_name, server in var.servers : { for tier_name, tier in server.tiers : "${server_name}-${tier_name}" => tier.tools }
      ]...) : tier => join("|", concat(
      ["", "initialize", "ping", "server/discover", "notifications/[A-Za-z_/]+", "logging/setLevel", "tools/list", "tools/call"],
      given.resources ? ["resources/[A-Za-z/]+", "subscriptions/[A-Za-z/]+"] : [],
      given.prompts ? ["prompts/[A-Za-z/]+"] : [],
      given.resources || given.prompts ? ["completion/complete"] : [],
    ))
  }

  # `tools`: "" where nothing is listed, and then the policy has no step for it. `repeatable`: "" for none, "*" for all.
  _tool_patterns = {
    for tier, lists in local._tool_lists : tier => {
      tools      = lists.allow == null && lists.deny == "" ? "" : "^${lists.deny == "" ? "" : "(?!(?:${lists.deny})\\z)"}(?:${coalesce(lists.allow, "${local._tool_name}+")})\\z"
      methods    = "^(?:${local._methods[tier]})\\z"
      repeatable = lists.repeatable == "" ? "" : lists.repeatable == "${local._tool_name}*" ? "*" : "^(?:${lists.repeatable})\\z"
    }
  }
}
