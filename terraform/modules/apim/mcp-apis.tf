locals {
  # "<server>-<tier>-<slot>": the id of a backend.
  _slots = merge(flatten([
    for server_name, server in var.servers : [
      for tier_name, tier in server.tiers : {
        for slot, url in tier.slots : "${server_name}-${tier_name}-${slot}" => {
          server = server_name, tier = tier_name, slot = slot, url = url
        }
      }
    ]
  ])...)

  _operations = merge([
    for server in keys(var.servers) : {
      for method in ["POST", "GET", "DELETE", "HEAD"] : "${server}-${lower(method)}" => { server = server, method = method }
    }
  ]...)

  # Whether a caller holds a role: a condition in C#, in an attribute. Elements of a list are compared whole and letter by letter.
  # Services bring app roles whatever decides for people.
  _holds = {
    for role in var.roles : role.name => join(" || ", var.authorization != "groups" ? ["roles.Contains(&quot;${role.name}&quot;)"] : concat(
      [for group in sort(role.groups) : "groups.Contains(&quot;{{group-${group}}}&quot;)" if contains(keys(var.sign_in.group_ids), group)],
      ["(appOnly &amp;&amp; roles.Contains(&quot;${role.name}&quot;))"],
    ))
  }

  # What the policy of a server's API is rendered from.
  _mcp_policies = {
    for server_name, server in var.servers : server_name => {
      server        = server_name
      remote        = lookup(local._remotes, server_name, null)
      downstream    = try(server.downstream.scope, null)
      authorization = var.authorization
      timeout       = server.timeout
      first_byte    = server.first_byte
      slots         = sort(distinct(flatten([for tier in values(server.tiers) : keys(tier.slots)])))
      rate_limit    = server.rate_limit
      own_limits    = anytrue([for tier in values(server.tiers) : tier.rate_limit != null])
      tool_lists    = anytrue([for tier in values(server.tiers) : tier.tools.allow != null || length(tier.tools.deny) > 0])
      # The first role of the order is matched first: a caller who holds several gets its tier.
      tiers = [
        for tier_name in flatten([for role in var.roles : [for name, tier in server.tiers : name if tier.role == role.name]]) : {
          name       = tier_name
          holds      = local._holds[server.tiers[tier_name].role]
          urls       = [for slot in sort(keys(server.tiers[tier_name].slots)) : server.tiers[tier_name].slots[slot]]
          role       = server.tiers[tier_name].role
          rate_limit = coalesce(server.tiers[tier_name].rate_limit, server.rate_limit)
          tools      = local._tool_patterns["${server_name}-${tier_name}"].tools
          methods    = local._tool_patterns["${server_name}-${tier_name}"].methods
          repeatable = local._tool_patterns["${server_name}-${tier_name}"].repeatable
        }
      ]
    }
  }
}

resource "azurerm_api_management_backend" "slot" {
  #checkov:skip=CKV_AZURE_215: container groups have no managed certificate; docs/adr/0002 says what replaces TLS, and CKV_MCP_28 and 34 hold it
  for_each = local._slots

  name                = each.key
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  protocol            = "http"
  url                 = each.value.url
  description         = "${each.value.server}, tier ${each.value.tier}, slot ${each.value.slot}"

  # The certificate of an app's name comes from a public authority.
  dynamic "tls" {
    for_each = startswith(each.value.url, "https://") ? { this = {} } : {}
    content {
      validate_certificate_chain = true
      validate_certificate_name  = true
    }
  }

  # A slot that cannot answer is left alone for a while; its callers go to another one, or fail fast. A time-out does not
  # count: with five slow queries one caller could take a slot away from all others. Silence is told from slowness by the
  # policy, which asks a slot whether it lives before it is given calls (docs/adr/0020). An app's own ingress leaves out what
  # cannot answer, and a breaker would take away all its replicas at once.
  dynamic "circuit_breaker_rule" {
    for_each = startswith(each.value.url, "https://") ? {} : { unreachable = {} }
    content {
      name                       = circuit_breaker_rule.key
      trip_duration              = "PT10S"
      accept_retry_after_enabled = true

      failure_condition {
        count             = 5
        interval_duration = "PT10S"
        error_reasons     = ["BackendConnectionFailure"]

        status_code_range {
          min = 502
          max = 504
        }
      }
    }
  }

  # As with named values: it outlives the policies that choose it.
  lifecycle {
    create_before_destroy = true
    # A replaced service is empty, under the same name.
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api" "mcp" {
  for_each = var.servers

  name                = "mcp-${each.key}"
  display_name        = "MCP server ${each.key}"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = each.key
  protocols           = ["https"]
  # Callers carry an Entra token; a subscription key would be checked first and answer 401 without a challenge.
  subscription_required = false

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_operation" "mcp" {
  for_each = local._operations

  operation_id        = lower(each.value.method)
  display_name        = "${each.value.method} /mcp"
  api_name            = azurerm_api_management_api.mcp[each.value.server].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  method              = each.value.method
  url_template        = "/mcp"

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_policy" "mcp" {
  for_each = var.servers

  api_name            = azurerm_api_management_api.mcp[each.key].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  xml_content         = templatefile("${local._policies}/mcp-api.xml.tftpl", local._mcp_policies[each.key])

  depends_on = [
    azurerm_api_management_backend.slot,
    azurerm_api_management_backend.remote,
    azurerm_api_management_named_value.secret,
    azurerm_api_management_named_value.this,
    azurerm_api_management_policy_fragment.this,
    var.slots_ready,
  ]

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}
